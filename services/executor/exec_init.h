/* SPDX-License-Identifier: Apache-2.0
 *
 * What runs in a process that has joined a container, before its program.
 */
#pragma once

#include "launch.h"

/* The descriptors it is born with: its standard streams, which with a terminal it opens itself, and at
 * CONFINE_FAILURE_FD a socket (SOCK_SEQPACKET). On that it takes one byte when it may go on, sends the terminal with
 * one byte, and a struct init_failure if it cannot go on; it closes when the program is executed. Never returns. */
void exec_init(void *launch);
