/* SPDX-License-Identifier: Apache-2.0
 *
 * One line of a container's log as the monitor writes it: {"log":"…","stream":"stdout","time":"…"}. The text in it is
 * the container's: any bytes, escaped. Called by log_reader.c through log_format.h.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

struct log_line {
    const char *text; /* decoded, where it stood */
    size_t n_text;
    unsigned stream; /* 1 stdout, 2 stderr */
    int64_t time_ns;
};

/* Parses and decodes in place one line without its line end. Exactly this form is accepted, nothing looser (DATA_LOSS).
 */
int log_line_parse(char *line, size_t n_bytes, struct log_line *ret_line, struct bh_error *error);
