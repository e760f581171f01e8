/* SPDX-License-Identifier: Apache-2.0
 *
 * How execs end: as exits.h for containers.
 */
#pragma once

#include "services/engine/execs.h"

/* Takes a connection to the monitor of a running exec (closed in any case) and waits on the loop for its end. */
int exec_end_watch(struct engine *engine, struct live *live, const struct exec_row *row, int monitor,
                   struct bh_error *error);

struct exec_facts {
    int32_t exit_code;
    int64_t finished_at_ns;
    uint8_t *output; /* what its monitor kept of it; NULL if nothing */
    size_t n_output;
    bool cut;
};

/* It has ended: writes that down, tells who waits, and has what is left of it removed. */
int exec_end_record(struct job *job, struct live *live, const struct exec_row *row, const struct exec_facts *facts,
                    struct bh_error *error);

/* Finds out about one that is said to run and is not watched, and watches it or records its end. */
int exec_end_look(struct job *job, struct live *live, const struct exec_row *row, struct bh_error *error);
