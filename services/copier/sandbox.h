/* SPDX-License-Identifier: Apache-2.0
 *
 * What a copier may do: one that writes, and one that only reads.
 */
#pragma once

#include "common/sandbox.h"

extern const struct bh_sandbox copier_sandbox;        /* views WRITE and FILL; what --sandbox prints */
extern const struct bh_sandbox copier_reader_sandbox; /* all others */
