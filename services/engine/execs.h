/* SPDX-License-Identifier: Apache-2.0
 *
 * Execs: further processes in running containers, from their creation to when they are forgotten. A row in the database
 * is the truth about each; one that runs also has an entry in the live table, under its own id.
 */
#pragma once

#include "services/engine/database_execs.h"
#include "services/engine/jobs.h"
#include "services/engine/live.h"

/* Serve CreateExec, RunExec, LookUpExec, ResizeExec, DetachExec and WaitExec of api_engine.proto. */
int create_exec(struct job *job, struct bh_error *error);
int run_exec(struct job *job, struct bh_error *error);
int look_up_exec(struct job *job, struct bh_error *error);
int resize_exec(struct job *job, struct bh_error *error);
int detach_exec(struct job *job, struct bh_error *error);
int wait_exec(struct job *job, struct bh_error *error);

/* Fills in a row's id and time and adds it. */
int execs_add(struct job *job, const struct container_row *container, struct exec_row *row, struct bh_error *error);
/* Starts one that is created, once. `streams` are 3 descriptors or NULL, borrowed. If it does not start its row says
 * so, too. */
int execs_start(struct job *job, const struct container_row *container, struct exec_row *row, const int *streams,
                struct bh_error *error);
/* Whether what execs_start() failed with is the program's own fault. */
bool execs_program_failed(const struct bh_error *error);

/* A container has ended: what joined it ends, too, and what never started never will, as in Docker. (Without a PID
 * namespace of its own that takes a signal.) */
void execs_container_ended(struct job *job, const struct container_row *container);
/* After the engine's start: watches what still runs, records what has ended meanwhile. */
int execs_adopt(struct job *job, struct bh_error *error);
/* From now on those that ended are forgotten after some minutes. */
void execs_begin(struct engine *engine);
