/* SPDX-License-Identifier: Apache-2.0
 *
 * The process of a container: arguments, environment, folder, user; see merge_parts.h.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/fields.h"
#include "common/limits.h"
#include "services/engine/merge_parts.h"

#define DEFAULT_PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* Docker: an entrypoint of the client's takes the image's command away; [""] means none at all. */
static int merge_arguments(const Bulkhead__ImageConfig *image, const Bulkhead__ContainerRequest *request,
                           Bulkhead__Process *process, struct bh_error *error)
{
    bool emptied = request->n_entrypoint == 1 && request->entrypoint[0][0] == '\0';
    bool own_entrypoint = request->entrypoint_set || request->n_entrypoint > 0;
    char *const *entrypoint = own_entrypoint ? request->entrypoint : image->entrypoint;
    size_t n_entrypoint = own_entrypoint ? request->n_entrypoint : image->n_entrypoint;
    bool image_command = request->n_cmd == 0 && request->n_entrypoint == 0;
    if (emptied) {
        n_entrypoint = 0;
    }
    if (strings_append_all(&process->args, &process->n_args, entrypoint, n_entrypoint, error) < 0 ||
        strings_append_all(&process->args, &process->n_args, image_command ? image->cmd : request->cmd,
                           image_command ? image->n_cmd : request->n_cmd, error) < 0) {
        return -1;
    }
    if (process->n_args == 0) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "no command specified");
    }
    if (process->n_args > BH_ARGV_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "%zu arguments are too many: at most %d", process->n_args,
                            BH_ARGV_MAX);
    }
    return 0;
}

static size_t key_length(const char *variable)
{
    return strcspn(variable, "=");
}

static bool same_key(const char *a, const char *b)
{
    size_t length = key_length(a);
    return length == key_length(b) && strncmp(a, b, length) == 0;
}

/* Sets NAME=value, replacing an earlier one in its place; NAME alone takes the variable away. */
static int set_variable(Bulkhead__Process *process, const char *variable, struct bh_error *error)
{
    bool removes = !strchr(variable, '=');
    for (size_t i = 0; i < process->n_env; i++) {
        if (!same_key(process->env[i], variable)) {
            continue;
        }
        if (!removes) {
            return string_set(&process->env[i], variable, error);
        }
        free(process->env[i]);
        memmove(&process->env[i], &process->env[i + 1], (process->n_env - i - 1) * sizeof *process->env);
        process->n_env--;
        return 0;
    }
    if (process->n_env >= BH_ENV_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "more than %d environment variables", BH_ENV_MAX);
    }
    return removes ? 0 : strings_append(&process->env, &process->n_env, variable, error);
}

static bool names_variable(char *const *env, size_t n_env, const char *variable)
{
    for (size_t i = 0; i < n_env; i++) {
        if (same_key(env[i], variable)) {
            return true;
        }
    }
    return false;
}

static int merge_environment(const Bulkhead__ImageConfig *image, const Bulkhead__ContainerRequest *request,
                             const char *host_name, Bulkhead__Process *process, struct bh_error *error)
{
    char host[BH_PATH_BYTES_MAX];
    (void)snprintf(host, sizeof host, "HOSTNAME=%s", host_name);
    if (set_variable(process, DEFAULT_PATH, error) < 0 || set_variable(process, host, error) < 0 ||
        (request->tty && set_variable(process, "TERM=xterm", error) < 0)) {
        return -1;
    }
    for (size_t i = 0; i < request->n_env; i++) {
        if (request->env[i][0] == '=' || request->env[i][0] == '\0') {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid environment variable: \"%s\": it needs a name",
                                request->env[i]);
        }
        if (set_variable(process, request->env[i], error) < 0) {
            return -1;
        }
    }
    for (size_t i = 0; i < image->n_env; i++) {
        if (image->env[i][0] != '=' && strchr(image->env[i], '=') &&
            !names_variable(request->env, request->n_env, image->env[i]) &&
            set_variable(process, image->env[i], error) < 0) {
            return -1;
        }
    }
    return 0;
}

static int merge_working_directory(const Bulkhead__ImageConfig *image, const Bulkhead__ContainerRequest *request,
                                   Bulkhead__Process *process, struct bh_error *error)
{
    if (request->working_dir[0] && request->working_dir[0] != '/') {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "the working directory '%s' is invalid, it needs to be an absolute path",
                            request->working_dir);
    }
    const char *chosen = request->working_dir[0] ? request->working_dir : image->working_dir;
    bh_autofree char *rooted = NULL;
    if (chosen[0] != '/' && asprintf(&rooted, "/%s", chosen) < 0) {
        rooted = NULL;
        return bh_error_errno(error, ENOMEM, "copy a string");
    }
    return string_set(&process->cwd, rooted ? rooted : chosen, error);
}

int merge_process(const Bulkhead__ImageConfig *image, const Bulkhead__ContainerRequest *request,
                  Bulkhead__ContainerSpec *spec, struct bh_error *error)
{
    Bulkhead__Process *process = malloc(sizeof *process);
    if (!process) {
        return bh_error_errno(error, ENOMEM, "describe a process");
    }
    bulkhead__process__init(process);
    spec->process = process;
    process->tty = request->tty;
    process->open_stdin = request->open_stdin;
    process->stdin_once = request->stdin_once;
    process->tty_rows = request->tty_rows;
    process->tty_columns = request->tty_columns;
    if (merge_arguments(image, request, process, error) < 0 ||
        merge_environment(image, request, spec->host_name, process, error) < 0 ||
        merge_working_directory(image, request, process, error) < 0 ||
        string_set(&process->user, request->user[0] ? request->user : image->user, error) < 0) {
        return -1;
    }
    return strings_append_all(&process->groups, &process->n_groups, request->group_add, request->n_group_add, error);
}
