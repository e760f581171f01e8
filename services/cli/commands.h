/* SPDX-License-Identifier: Apache-2.0
 *
 * Which commands there are, and how one is chosen and run.
 */
#pragma once

#include "cli.h"

/* Runs argv's command; returns the process's exit status. */
int commands_run(int argc, char **argv);

/* Each is defined in the file named for it. */
extern const struct command attach_command, audit_verify_command, create_command, dial_stdio_command, doctor_command,
    exec_command, images_command, info_command, inspect_command, kill_command, load_command, logs_command,
    pause_command, privileges_command, ps_command, pull_command, rename_command, restart_command, rm_command,
    rmi_command, run_command, start_command, stop_command, tag_command, unpause_command, version_command, wait_command;
