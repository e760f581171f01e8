/* SPDX-License-Identifier: Apache-2.0
 *
 * See config.h. Unknown keys are ignored, as the specification asks; known ones must have their type.
 */
#include "config.h"

#include <string.h>

#include "build.h"
#include "bounds.h"
#include "timestamp.h"

#define PATH          "image config"
#define INNER         "image config: config"
#define ARGUMENTS_MAX BH_ARGV_MAX
#define LABELS_MAX    4096
#define NAMES_MAX     4096 /* ports, volumes */
#define HISTORY_MAX   4096

void config_document_free(struct config_document *document)
{
    if (document->config) {
        bulkhead__image_config__free_unpacked(document->config, NULL);
    }
}

/* ---- kinds of members ------------------------------------------------------------------------------ */

static int take_string(json_t *object, const char *key, const char *path, char **field, struct bh_error *error)
{
    const char *text;
    return json_member_string(object, key, path, &text, error) < 0 ? -1 : build_string(field, text, error);
}

static int take_time(json_t *object, const char *key, const char *path, int64_t *field, struct bh_error *error)
{
    const char *text;
    if (json_member_string(object, key, path, &text, error) < 0) {
        return -1;
    }
    if (text && timestamp_parse(text, field, error) < 0) {
        return bh_error_wrap(error, "%s: \"%s\"", path, key);
    }
    return 0;
}

static int too_many(const char *path, const char *key, size_t n, size_t max, struct bh_error *error)
{
    return bh_error_set(error, BH_INVALID_ARGUMENT, "%s: \"%s\" has %zu elements, at most %zu are possible", path, key,
                        n, max);
}

/* A list of strings; a lone string counts as a list of one (Docker writes commands so at times). */
static int take_strings(json_t *object, const char *key, const char *path, size_t max, char ***field, size_t *count,
                        struct bh_error *error)
{
    const json_t *single = json_object_get(object, key);
    if (json_is_string(single)) {
        return build_array(field, 1, sizeof(char *), error) < 0
                   ? -1
                   : build_append(*field, count, json_string_value(single), error);
    }
    json_t *array;
    if (json_member_array(object, key, path, &array, error) < 0) {
        return -1;
    }
    size_t n = json_array_size(array);
    if (n > max) {
        return too_many(path, key, n, max, error);
    }
    if (build_array(field, n, sizeof(char *), error) < 0) {
        return -1;
    }
    for (size_t i = 0; i < n; i++) {
        const char *text;
        if (json_element_string(array, i, path, &text, error) < 0) {
            return bh_error_wrap(error, "\"%s\"", key);
        }
        if (build_append(*field, count, text, error) < 0) {
            return -1;
        }
    }
    return 0;
}

/* The keys of an object whose values mean nothing ({"80/tcp": {}}). */
static int take_keys(json_t *object, const char *key, char ***field, size_t *count, struct bh_error *error)
{
    json_t *set;
    if (json_member_object(object, key, INNER, &set, error) < 0) {
        return -1;
    }
    size_t n = json_object_size(set);
    if (n > NAMES_MAX) {
        return too_many(INNER, key, n, NAMES_MAX, error);
    }
    if (build_array(field, n, sizeof(char *), error) < 0) {
        return -1;
    }
    const char *name;
    json_t *value;
    json_object_foreach(set, name, value)
    {
        if (build_append(*field, count, name, error) < 0) {
            return -1;
        }
    }
    return 0;
}

static int take_labels(json_t *object, Bulkhead__ImageConfig *config, struct bh_error *error)
{
    json_t *labels;
    if (json_member_object(object, "Labels", INNER, &labels, error) < 0) {
        return -1;
    }
    size_t n = json_object_size(labels);
    if (n > LABELS_MAX) {
        return too_many(INNER, "Labels", n, LABELS_MAX, error);
    }
    if (build_array(&config->labels, n, sizeof(config->labels[0]), error) < 0) {
        return -1;
    }
    const char *name;
    json_t *value;
    json_object_foreach(labels, name, value)
    {
        if (!json_is_string(value)) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "%s: label \"%.100s\" must be a string", INNER, name);
        }
        Bulkhead__KeyValue *label = build_message(&bulkhead__key_value__descriptor, error);
        if (!label) {
            return -1;
        }
        config->labels[config->n_labels++] = label;
        if (build_string(&label->key, name, error) < 0 ||
            build_string(&label->value, json_string_value(value), error) < 0) {
            return -1;
        }
    }
    return 0;
}

static int take_duration(json_t *object, const char *key, int64_t *field, struct bh_error *error)
{
    bool present;
    if (json_member_integer(object, key, INNER ": Healthcheck", field, &present, error) < 0) {
        return -1;
    }
    return *field >= 0
               ? 0
               : bh_error_set(error, BH_INVALID_ARGUMENT, INNER ": Healthcheck: \"%s\" must not be negative", key);
}

static int take_healthcheck(json_t *object, Bulkhead__ImageConfig *config, struct bh_error *error)
{
    json_t *check;
    if (json_member_object(object, "Healthcheck", INNER, &check, error) < 0) {
        return -1;
    }
    if (!check) {
        return 0;
    }
    Bulkhead__Healthcheck *health = build_message(&bulkhead__healthcheck__descriptor, error);
    if (!health) {
        return -1;
    }
    config->healthcheck = health;
    int64_t retries;
    if (take_strings(check, "Test", INNER ": Healthcheck", ARGUMENTS_MAX, &health->test, &health->n_test, error) < 0 ||
        take_duration(check, "Interval", &health->interval_ns, error) < 0 ||
        take_duration(check, "Timeout", &health->timeout_ns, error) < 0 ||
        take_duration(check, "StartPeriod", &health->start_period_ns, error) < 0 ||
        take_duration(check, "StartInterval", &health->start_interval_ns, error) < 0 ||
        take_duration(check, "Retries", &retries, error) < 0) {
        return -1;
    }
    if (retries > INT32_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, INNER ": Healthcheck: \"Retries\" is too large");
    }
    health->retries = (int32_t)retries;
    return 0;
}

/* ---- the document ---------------------------------------------------------------------------------- */

static int parse_inner(json_t *json, Bulkhead__ImageConfig *config, struct bh_error *error)
{
    json_t *object;
    if (json_member_object(json, "config", PATH, &object, error) < 0) {
        return -1;
    }
    if (!object) {
        return 0;
    }
    bool failed =
        take_string(object, "User", INNER, &config->user, error) < 0 ||
        take_strings(object, "Env", INNER, BH_ENV_MAX, &config->env, &config->n_env, error) < 0 ||
        take_strings(object, "Entrypoint", INNER, ARGUMENTS_MAX, &config->entrypoint, &config->n_entrypoint, error) <
            0 ||
        take_strings(object, "Cmd", INNER, ARGUMENTS_MAX, &config->cmd, &config->n_cmd, error) < 0 ||
        take_string(object, "WorkingDir", INNER, &config->working_dir, error) < 0 ||
        take_labels(object, config, error) < 0 ||
        take_keys(object, "ExposedPorts", &config->exposed_ports, &config->n_exposed_ports, error) < 0 ||
        take_keys(object, "Volumes", &config->volumes, &config->n_volumes, error) < 0 ||
        take_string(object, "StopSignal", INNER, &config->stop_signal, error) < 0 ||
        take_strings(object, "Shell", INNER, ARGUMENTS_MAX, &config->shell, &config->n_shell, error) < 0 ||
        take_strings(object, "OnBuild", INNER, ARGUMENTS_MAX, &config->on_build, &config->n_on_build, error) < 0 ||
        take_healthcheck(object, config, error) < 0;
    return failed ? -1 : 0;
}

static int parse_diff_ids(json_t *ids, Bulkhead__ImageConfig *config, struct bh_error *error)
{
    size_t n = json_array_size(ids);
    if (n > BH_LAYERS_MAX) {
        return too_many(PATH ": rootfs", "diff_ids", n, BH_LAYERS_MAX, error);
    }
    if (build_array(&config->diff_ids, n, sizeof(config->diff_ids[0]), error) < 0) {
        return -1;
    }
    for (size_t i = 0; i < n; i++) {
        const char *text;
        struct bh_digest digest;
        if (json_element_string(ids, i, PATH ": diff_ids", &text, error) < 0) {
            return -1;
        }
        if (bh_digest_parse(text, &digest, error) < 0) {
            return bh_error_wrap(error, PATH ": diff_id %zu", i);
        }
        if (build_bytes(&config->diff_ids[i], digest.bytes, BH_DIGEST_BYTES, error) < 0) {
            return -1;
        }
        config->n_diff_ids = i + 1;
    }
    return 0;
}

static int parse_rootfs(json_t *json, Bulkhead__ImageConfig *config, struct bh_error *error)
{
    json_t *rootfs, *ids;
    const char *type;
    if (json_member_object(json, "rootfs", PATH, &rootfs, error) < 0) {
        return -1;
    }
    if (!rootfs) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, PATH ": has no \"rootfs\"");
    }
    if (json_member_string(rootfs, "type", PATH ": rootfs", &type, error) < 0 ||
        json_member_array(rootfs, "diff_ids", PATH ": rootfs", &ids, error) < 0) {
        return -1;
    }
    if (!type || strcmp(type, "layers") != 0) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, PATH ": rootfs: \"type\" must be \"layers\"");
    }
    return parse_diff_ids(ids, config, error);
}

static int parse_history_entry(json_t *object, Bulkhead__History *entry, struct bh_error *error)
{
    static const char path[] = PATH ": history";
    bool empty;
    if (take_time(object, "created", path, &entry->created_ns, error) < 0 ||
        take_string(object, "created_by", path, &entry->created_by, error) < 0 ||
        take_string(object, "author", path, &entry->author, error) < 0 ||
        take_string(object, "comment", path, &entry->comment, error) < 0 ||
        json_member_boolean(object, "empty_layer", path, &empty, error) < 0) {
        return -1;
    }
    entry->empty_layer = empty;
    return 0;
}

static int parse_history(json_t *json, Bulkhead__ImageConfig *config, struct bh_error *error)
{
    json_t *history;
    if (json_member_array(json, "history", PATH, &history, error) < 0) {
        return -1;
    }
    size_t n = json_array_size(history);
    if (n > HISTORY_MAX) {
        return too_many(PATH, "history", n, HISTORY_MAX, error);
    }
    if (build_array(&config->history, n, sizeof(config->history[0]), error) < 0) {
        return -1;
    }
    for (size_t i = 0; i < n; i++) {
        json_t *object;
        if (json_element_object(history, i, PATH ": history", &object, error) < 0) {
            return -1;
        }
        Bulkhead__History *entry = build_message(&bulkhead__history__descriptor, error);
        if (!entry) {
            return -1;
        }
        config->history[config->n_history++] = entry;
        if (parse_history_entry(object, entry, error) < 0) {
            return -1;
        }
    }
    return 0;
}

int config_parse(json_t *json, struct config_document *ret_document, struct bh_error *error)
{
    if (!json_is_object(json)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, PATH ": is no JSON object");
    }
    bh_autoconfig struct config_document document = {build_message(&bulkhead__image_config__descriptor, error)};
    Bulkhead__ImageConfig *config = document.config;
    if (!config || take_string(json, "os", PATH, &config->os, error) < 0 ||
        take_string(json, "architecture", PATH, &config->architecture, error) < 0 ||
        take_string(json, "variant", PATH, &config->variant, error) < 0 ||
        take_time(json, "created", PATH, &config->created_ns, error) < 0 ||
        take_string(json, "author", PATH, &config->author, error) < 0 ||
        take_string(json, "docker_version", PATH, &config->docker_version, error) < 0 ||
        take_string(json, "comment", PATH, &config->comment, error) < 0 || parse_inner(json, config, error) < 0 ||
        parse_rootfs(json, config, error) < 0 || parse_history(json, config, error) < 0) {
        return -1;
    }
    *ret_document = document;
    document.config = NULL;
    return 0;
}

int config_read(int fd, struct config_document *ret_document, struct bh_error *error)
{
    bh_autojson json_t *json = NULL;
    return json_read(fd, BH_CONFIG_BYTES_MAX, PATH, &json, error) < 0 ? -1 : config_parse(json, ret_document, error);
}
