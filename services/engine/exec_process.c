/* SPDX-License-Identifier: Apache-2.0
 *
 * The process of an exec; see exec_process.h.
 */
#include "services/engine/exec_process.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/fields.h"

#define TERMINAL "TERM=xterm" /* Docker's, for whatever has a terminal */

static void process_cleanup(Bulkhead__Process **process)
{
    if (*process) {
        bulkhead__process__free_unpacked(*process, NULL);
    }
}

static size_t name_bytes(const char *entry)
{
    return strcspn(entry, "=");
}

/* The position of that name's entry, or n. */
static size_t find_entry(char *const *list, size_t n, const char *entry)
{
    size_t length = name_bytes(entry), i = 0;
    while (i < n && (name_bytes(list[i]) != length || strncmp(list[i], entry, length) != 0)) {
        i++;
    }
    return i;
}

static int put_entry(Bulkhead__Process *process, const char *entry, struct bh_error *error)
{
    size_t at = find_entry(process->env, process->n_env, entry);
    if (entry[name_bytes(entry)] == '=') {
        return at < process->n_env ? string_set(&process->env[at], entry, error)
                                   : strings_append(&process->env, &process->n_env, entry, error);
    }
    if (at < process->n_env) {
        free(process->env[at]);
        memmove(&process->env[at], &process->env[at + 1], (process->n_env - at - 1) * sizeof *process->env);
        process->n_env--;
    }
    return 0;
}

/* A terminal's TERM is that of the process which has it: the container's own is not handed on to one without. */
static int make_environment(const Bulkhead__ExecRequest *request, const Bulkhead__ContainerSpec *container,
                            Bulkhead__Process *process, struct bh_error *error)
{
    const Bulkhead__Process *first = container->process;
    for (size_t i = 0; i < first->n_env; i++) {
        bool others = first->tty && !request->tty && strcmp(first->env[i], TERMINAL) == 0;
        if (!others && strings_append(&process->env, &process->n_env, first->env[i], error) < 0) {
            return -1;
        }
    }
    if (request->tty && find_entry(process->env, process->n_env, TERMINAL) == process->n_env &&
        strings_append(&process->env, &process->n_env, TERMINAL, error) < 0) {
        return -1;
    }
    for (size_t i = 0; i < request->n_env; i++) {
        if (put_entry(process, request->env[i], error) < 0) {
            return -1;
        }
    }
    return 0;
}

int exec_process_make(const Bulkhead__ExecRequest *request, const Bulkhead__ContainerSpec *container, bool attached,
                      Bulkhead__Process **ret_process, struct bh_error *error)
{
    bh_cleanup(process_cleanup) Bulkhead__Process *process = malloc(sizeof *process);
    const Bulkhead__Process *first = container->process;
    if (!process) {
        return bh_error_errno(error, ENOMEM, "describe an exec");
    }
    bulkhead__process__init(process);
    process->tty = request->tty;
    process->open_stdin = attached && request->attach_stdin;
    process->stdin_once = process->open_stdin;
    process->tty_rows = request->rows;
    process->tty_columns = request->columns;
    if (strings_append_all(&process->args, &process->n_args, request->args, request->n_args, error) < 0 ||
        make_environment(request, container, process, error) < 0 ||
        string_set(&process->user, request->user[0] ? request->user : first->user, error) < 0 ||
        string_set(&process->cwd, request->working_dir[0] ? request->working_dir : first->cwd, error) < 0) {
        return -1;
    }
    *ret_process = bh_steal_pointer(&process);
    return 0;
}
