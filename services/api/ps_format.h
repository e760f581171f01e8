/* SPDX-License-Identifier: Apache-2.0
 *
 * What `ps` prints, for `top`: an own small formatter, since nothing is executed to find out about a container. Known
 * are -ef, -F, aux and lists of columns (-o).
 */
#pragma once

#include "api.h"
#include "process_list.h"

#define PS_COLUMNS_MAX 32
#define PS_TEXT_SIZE   (2 * 4096 + 8)

struct ps_column;
struct ps_format {
    const struct ps_column *columns[PS_COLUMNS_MAX];
    char titles[PS_COLUMNS_MAX][32];
    size_t n;
};

/* `arguments` as the client wrote it: "-ef", "aux", "-eo pid,comm". INVALID_ARGUMENT for what is not known, or without
 * a column of pids. */
int ps_parse(const char *arguments, struct ps_format *ret_format, struct bh_error *error);

/* One cell. `now_s` is the wall clock. Returns `text`. */
const char *ps_cell(const struct ps_format *format, size_t column, const struct process *process,
                    const struct process_list *list, const struct api *api, int64_t now_s,
                    char text[static PS_TEXT_SIZE]);
