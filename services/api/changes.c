/* SPDX-License-Identifier: Apache-2.0
 *
 * See changes.h. One function an instruction, found in a const table; what a function is given was split and, where
 * Docker does so, expanded with the environment that the config has at that moment.
 */
#include "changes.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/cleanup.h"
#include "common/docker_when.h"
#include "common/fields.h"
#include "common/limits.h"
#include "changes_config.h"
#include "dockerfile_words.h"
#include "json_read.h"
#include "signals.h"

/* One run over a list of changes. */
struct changes {
    Bulkhead__ImageConfig *config;
    bool cmd_set; /* by a CMD among the changes */
};

struct change {
    const char *name;
    int (*apply)(struct changes *changes, const char *rest, struct bh_error *error);
};

/* ---- CMD, ENTRYPOINT, VOLUME ------------------------------------------------------------------------ */

/* ["a","b"] as a list of strings. 1: it was one; 0: it is something else (the shell's form). */
static int take_json(const char *rest, char ***list, size_t *n_list, struct bh_error *error)
{
    auto_json *array = *rest == '[' ? json_loads(rest, JSON_REJECT_DUPLICATES, NULL) : NULL;
    if (!json_is_array(array)) {
        return 0;
    }
    for (size_t i = 0; i < json_array_size(array); i++) {
        const char *text = json_string_value(json_array_get(array, i));
        if (!text) {
            return bh_error_set(error, BH_INVALID_ARGUMENT,
                                "when using JSON array syntax, arrays must be comprised of strings only");
        }
        if (strings_append(list, n_list, text, error) < 0) {
            return -1;
        }
    }
    return 1;
}

/* A command: a JSON list, or a line for the image's shell. */
static int take_command(const struct changes *changes, const char *rest, char ***list, size_t *n_list,
                        struct bh_error *error)
{
    static const char *const usual[] = {"/bin/sh", "-c"};
    const Bulkhead__ImageConfig *config = changes->config;
    clear_strings(list, n_list);
    int is_json = take_json(rest, list, n_list, error);
    if (is_json != 0) {
        return is_json < 0 ? -1 : 0;
    }
    if (config->n_shell > 0) {
        return strings_append_all(list, n_list, config->shell, config->n_shell, error) < 0 ||
                       strings_append(list, n_list, rest, error) < 0
                   ? -1
                   : 0;
    }
    return strings_append(list, n_list, usual[0], error) < 0 || strings_append(list, n_list, usual[1], error) < 0 ||
                   strings_append(list, n_list, rest, error) < 0
               ? -1
               : 0;
}

static int apply_cmd(struct changes *changes, const char *rest, struct bh_error *error)
{
    changes->cmd_set = true;
    return take_command(changes, rest, &changes->config->cmd, &changes->config->n_cmd, error);
}

static int apply_entrypoint(struct changes *changes, const char *rest, struct bh_error *error)
{
    Bulkhead__ImageConfig *config = changes->config;
    if (!changes->cmd_set) { /* an inherited CMD was meant for the inherited ENTRYPOINT */
        clear_strings(&config->cmd, &config->n_cmd);
    }
    return take_command(changes, rest, &config->entrypoint, &config->n_entrypoint, error);
}

static int apply_volume(struct changes *changes, const char *rest, struct bh_error *error)
{
    Bulkhead__ImageConfig *config = changes->config;
    strings_auto struct strings words = {0};
    int is_json = take_json(rest, &words.list, &words.n, error);
    if (is_json < 0 || (is_json == 0 && dockerfile_split(rest, &words.list, &words.n, error) < 0)) {
        return -1;
    }
    for (size_t i = 0; i < words.n; i++) {
        bh_autofree char *path = NULL;
        if (dockerfile_expand(words.list[i], config->env, config->n_env, &path, error) < 0) {
            return -1;
        }
        if (*path == '\0') {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "VOLUME specified can not be an empty string");
        }
        if (add_to_set(&config->volumes, &config->n_volumes, path, error) < 0) {
            return -1;
        }
    }
    return 0;
}

/* ---- ENV, LABEL ------------------------------------------------------------------------------------- */

/* Calls `set` with each name and value: "NAME=VALUE …", or the older "NAME the rest is the value". */
static int each_pair(struct changes *changes, const char *instruction, const char *rest,
                     int (*set)(Bulkhead__ImageConfig *config, const char *name, const char *value,
                                struct bh_error *error),
                     struct bh_error *error)
{
    Bulkhead__ImageConfig *config = changes->config;
    strings_auto struct strings words = {0}, expanded = {0};
    if (dockerfile_split(rest, &words.list, &words.n, error) < 0) {
        return -1;
    }
    bool is_old = !strchr(words.list[0], '=');
    if (is_old && words.n < 2) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "%s must have two arguments", instruction);
    }
    for (size_t i = 0; i < words.n && (i == 0 || !is_old); i++) {
        const char *equals = strchr(words.list[i], '=');
        if (!is_old && !equals) {
            return bh_error_set(error, BH_INVALID_ARGUMENT,
                                "Syntax error - can't find = in \"%.100s\". Must be of the form: name=value",
                                words.list[i]);
        }
        size_t name_bytes = is_old ? strlen(words.list[0]) : (size_t)(equals - words.list[i]);
        const char *raw = is_old ? rest + name_bytes + strspn(rest + name_bytes, " \t") : equals + 1;
        bh_autofree char *raw_name = strndup(words.list[i], name_bytes), *name = NULL, *value = NULL;
        if (!raw_name) {
            return out_of_memory(error);
        }
        if (dockerfile_expand(raw_name, config->env, config->n_env, &name, error) < 0 ||
            dockerfile_expand(raw, config->env, config->n_env, &value, error) < 0 ||
            strings_append(&expanded.list, &expanded.n, name, error) < 0 ||
            strings_append(&expanded.list, &expanded.n, value, error) < 0) {
            return -1;
        }
        if (*name == '\0') {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "%s names can not be blank", instruction);
        }
    }
    /* All are expanded with the environment as it was before the first of them. */
    for (size_t i = 0; i + 1 < expanded.n; i += 2) {
        if (set(config, expanded.list[i], expanded.list[i + 1], error) < 0) {
            return -1;
        }
    }
    return 0;
}

static int apply_env(struct changes *changes, const char *rest, struct bh_error *error)
{
    return each_pair(changes, "ENV", rest, set_env, error);
}

static int apply_label(struct changes *changes, const char *rest, struct bh_error *error)
{
    return each_pair(changes, "LABEL", rest, set_label, error);
}

/* ---- EXPOSE, USER, WORKDIR, STOPSIGNAL, ONBUILD --------------------------------------------------------- */

static int apply_expose(struct changes *changes, const char *rest, struct bh_error *error)
{
    Bulkhead__ImageConfig *config = changes->config;
    bh_autofree char *expanded = NULL;
    strings_auto struct strings words = {0};
    if (dockerfile_expand(rest, config->env, config->n_env, &expanded, error) < 0 ||
        dockerfile_split(expanded, &words.list, &words.n, error) < 0) {
        return -1;
    }
    for (size_t i = 0; i < words.n; i++) {
        if (add_ports(config, words.list[i], error) < 0) {
            return -1;
        }
    }
    return 0;
}

static int apply_user(struct changes *changes, const char *rest, struct bh_error *error)
{
    bh_autofree char *user = NULL;
    return dockerfile_expand(rest, changes->config->env, changes->config->n_env, &user, error) < 0
               ? -1
               : string_set(&changes->config->user, user, error);
}

static int apply_workdir(struct changes *changes, const char *rest, struct bh_error *error)
{
    Bulkhead__ImageConfig *config = changes->config;
    bh_autofree char *path = NULL;
    if (dockerfile_expand(rest, config->env, config->n_env, &path, error) < 0) {
        return -1;
    }
    if (*path == '\0') {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "WORKDIR: cannot normalize nothing");
    }
    return *path == '/' ? string_set(&config->working_dir, path, error) : join_working_dir(config, path, error);
}

static int apply_stop_signal(struct changes *changes, const char *rest, struct bh_error *error)
{
    bh_autofree char *name = NULL;
    if (dockerfile_expand(rest, changes->config->env, changes->config->n_env, &name, error) < 0) {
        return -1;
    }
    if (!signal_is_known(name)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid signal: %.64s", name);
    }
    return string_set(&changes->config->stop_signal, name, error);
}

static int apply_on_build(struct changes *changes, const char *rest, struct bh_error *error)
{
    size_t length = strcspn(rest, " \t");
    if (length == strlen("ONBUILD") && strncasecmp(rest, "ONBUILD", length) == 0) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed");
    }
    if ((length == strlen("FROM") && strncasecmp(rest, "FROM", length) == 0) ||
        (length == strlen("MAINTAINER") && strncasecmp(rest, "MAINTAINER", length) == 0)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "%.*s isn't allowed as an ONBUILD trigger", (int)length, rest);
    }
    return strings_append(&changes->config->on_build, &changes->config->n_on_build, rest, error);
}

/* ---- HEALTHCHECK -------------------------------------------------------------------------------------- */

/* One "--name=value" at *rest. */
static int take_health_option(const char **rest, Bulkhead__Healthcheck *check, struct bh_error *error)
{
    const struct {
        const char *name;
        int64_t *ns;
    } durations[] = {{"--interval=", &check->interval_ns},
                     {"--timeout=", &check->timeout_ns},
                     {"--start-period=", &check->start_period_ns},
                     {"--start-interval=", &check->start_interval_ns}};
    size_t length = strcspn(*rest, " \t");
    bh_autofree char *option = strndup(*rest, length);
    if (!option) {
        return out_of_memory(error);
    }
    *rest += length + strspn(*rest + length, " \t");
    for (size_t i = 0; i < sizeof durations / sizeof *durations; i++) {
        size_t name_bytes = strlen(durations[i].name);
        if (strncmp(option, durations[i].name, name_bytes) == 0) {
            if (docker_duration_parse(option + name_bytes, durations[i].ns, error) < 0) {
                return bh_error_wrap(error, "HEALTHCHECK");
            }
            return *durations[i].ns == 0 || *durations[i].ns >= 1000000
                       ? 0
                       : bh_error_set(error, BH_INVALID_ARGUMENT, "HEALTHCHECK: %.40s cannot be less than 1ms", option);
        }
    }
    if (strncmp(option, "--retries=", strlen("--retries=")) == 0) {
        char *end;
        errno = 0;
        long retries = strtol(option + strlen("--retries="), &end, 10);
        if (errno != 0 || *end || end == option + strlen("--retries=") || retries < 0 || retries > INT32_MAX) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "HEALTHCHECK: %.40s must be a whole number, 0 or more",
                                option);
        }
        check->retries = (int32_t)retries;
        return 0;
    }
    return bh_error_set(error, BH_INVALID_ARGUMENT,
                        "Unknown flag: %.40s: HEALTHCHECK takes --interval, --timeout, --start-period, "
                        "--start-interval and --retries, each with =VALUE",
                        option);
}

static int take_health_test(const char *rest, Bulkhead__Healthcheck *check, struct bh_error *error)
{
    size_t length = strcspn(rest, " \t");
    const char *command = rest + length + strspn(rest + length, " \t");
    if (length == 4 && strncasecmp(rest, "NONE", 4) == 0) {
        return *command == '\0' ? strings_append(&check->test, &check->n_test, "NONE", error)
                                : bh_error_set(error, BH_INVALID_ARGUMENT, "HEALTHCHECK NONE takes no arguments");
    }
    if (length != 3 || strncasecmp(rest, "CMD", 3) != 0) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "Unknown type \"%.*s\" in HEALTHCHECK (try CMD)",
                            (int)(length > 40 ? 40 : length), rest);
    }
    if (*command == '\0') {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "Missing command after HEALTHCHECK CMD");
    }
    strings_auto struct strings words = {0};
    int is_json = take_json(command, &words.list, &words.n, error);
    if (is_json < 0 || strings_append(&check->test, &check->n_test, is_json ? "CMD" : "CMD-SHELL", error) < 0) {
        return -1;
    }
    return is_json ? strings_append_all(&check->test, &check->n_test, words.list, words.n, error)
                   : strings_append(&check->test, &check->n_test, command, error);
}

static int apply_healthcheck(struct changes *changes, const char *rest, struct bh_error *error)
{
    Bulkhead__Healthcheck *check = malloc(sizeof *check);
    if (!check) {
        return out_of_memory(error);
    }
    bulkhead__healthcheck__init(check);
    if (changes->config->healthcheck) {
        bulkhead__healthcheck__free_unpacked(changes->config->healthcheck, NULL);
    }
    changes->config->healthcheck = check;
    while (strncmp(rest, "--", 2) == 0) {
        if (take_health_option(&rest, check, error) < 0) {
            return -1;
        }
    }
    return take_health_test(rest, check, error);
}

/* ---- the table ---------------------------------------------------------------------------------------- */

static const struct change known[] = {
    {"CMD", apply_cmd},          {"ENTRYPOINT", apply_entrypoint},   {"ENV", apply_env},
    {"EXPOSE", apply_expose},    {"HEALTHCHECK", apply_healthcheck}, {"LABEL", apply_label},
    {"ONBUILD", apply_on_build}, {"STOPSIGNAL", apply_stop_signal},  {"USER", apply_user},
    {"VOLUME", apply_volume},    {"WORKDIR", apply_workdir},
};

static int apply_line(struct changes *changes, const struct dockerfile_line *line, struct bh_error *error)
{
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcasecmp(line->instruction, known[i].name) == 0) {
            return *line->rest
                       ? known[i].apply(changes, line->rest, error)
                       : bh_error_set(error, BH_INVALID_ARGUMENT, "%s requires at least one argument", known[i].name);
        }
    }
    return bh_error_set(error, BH_INVALID_ARGUMENT, "%.64s is not a valid change command", line->instruction);
}

static int apply_text(struct changes *changes, const char *text, struct bh_error *error)
{
    for (;;) {
        dockerfile_line_auto line = {0};
        int found = dockerfile_next_line(&text, &line, error);
        if (found <= 0) {
            return found;
        }
        if (apply_line(changes, &line, error) < 0) {
            return -1;
        }
    }
}

int changes_apply(const char *text, Bulkhead__ImageConfig *config, struct bh_error *error)
{
    struct changes changes = {.config = config};
    return apply_text(&changes, text, error);
}

int changes_apply_parameters(const struct http_target *target, Bulkhead__ImageConfig *config, struct bh_error *error)
{
    struct changes changes = {.config = config};
    for (size_t i = 0; i < target->n_parameters; i++) {
        if (strcmp(target->parameters[i].name, "changes") == 0 &&
            apply_text(&changes, target->parameters[i].value, error) < 0) {
            return -1;
        }
    }
    return 0;
}
