/* SPDX-License-Identifier: Apache-2.0
 *
 * See config_json.h. The extractor's config.c is the other half: what is written here, it reads back.
 */
#include "services/engine/config_json.h"

#include <errno.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/digest.h"
#include "common/docker_time.h"
#include "common/json_write.h"
#include "common/limits.h"

/* A member that is left out when it says nothing. */
static void write_text(struct json_writer *writer, const char *key, const char *text)
{
    if (*text) {
        write_string(writer, key, text);
    }
}

static void write_list(struct json_writer *writer, const char *key, char *const *values, size_t n_values)
{
    if (n_values > 0) {
        write_strings(writer, key, values, n_values, false);
    }
}

static void write_created(struct json_writer *writer, int64_t created_ns)
{
    char text[DOCKER_TIME_SIZE];
    if (created_ns != 0) {
        write_string(writer, "created", docker_time(created_ns, text));
    }
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int refuse_twice(const char *key, const char *name, struct bh_error *error)
{
    return bh_error_set(error, BH_INVALID_ARGUMENT, "the image's %s name \"%.200s\" twice", key, name);
}

/* {"80/tcp":{}}, sorted. */
static int write_set(struct json_writer *writer, const char *key, char *const *names, size_t n_names,
                     struct bh_error *error)
{
    if (n_names == 0) {
        return 0;
    }
    bh_autofree const char **sorted = calloc(n_names, sizeof *sorted);
    if (!sorted) {
        return bh_error_errno(error, ENOMEM, "sort an image's %s", key);
    }
    for (size_t i = 0; i < n_names; i++) {
        sorted[i] = names[i];
    }
    qsort(sorted, n_names, sizeof *sorted, by_bytes);
    write_object(writer, key);
    for (size_t i = 0; i < n_names; i++) {
        if (i > 0 && strcmp(sorted[i - 1], sorted[i]) == 0) {
            return refuse_twice(key, sorted[i], error);
        }
        write_object(writer, sorted[i]);
        write_object_end(writer);
    }
    write_object_end(writer);
    return 0;
}

static int by_key(const void *a, const void *b)
{
    const Bulkhead__KeyValue *const *left = a, *const *right = b;
    return strcmp((*left)->key, (*right)->key);
}

static int write_labels(struct json_writer *writer, const Bulkhead__ImageConfig *config, struct bh_error *error)
{
    if (config->n_labels == 0) {
        return 0;
    }
    bh_autofree const Bulkhead__KeyValue **sorted = calloc(config->n_labels, sizeof *sorted);
    if (!sorted) {
        return bh_error_errno(error, ENOMEM, "sort an image's labels");
    }
    for (size_t i = 0; i < config->n_labels; i++) {
        sorted[i] = config->labels[i];
    }
    qsort(sorted, config->n_labels, sizeof *sorted, by_key);
    write_object(writer, "Labels");
    for (size_t i = 0; i < config->n_labels; i++) {
        if (i > 0 && strcmp(sorted[i - 1]->key, sorted[i]->key) == 0) {
            return refuse_twice("labels", sorted[i]->key, error);
        }
        write_string(writer, sorted[i]->key, sorted[i]->value);
    }
    write_object_end(writer);
    return 0;
}

static void write_number(struct json_writer *writer, const char *key, int64_t number)
{
    if (number != 0) {
        write_int(writer, key, number);
    }
}

static void write_healthcheck(struct json_writer *writer, const Bulkhead__Healthcheck *check)
{
    if (!check) {
        return;
    }
    write_object(writer, "Healthcheck");
    write_number(writer, "Interval", check->interval_ns);
    write_number(writer, "Retries", check->retries);
    write_number(writer, "StartInterval", check->start_interval_ns);
    write_number(writer, "StartPeriod", check->start_period_ns);
    write_list(writer, "Test", check->test, check->n_test);
    write_number(writer, "Timeout", check->timeout_ns);
    write_object_end(writer);
}

/* What a container gets from the image. */
static int write_inner(struct json_writer *writer, const Bulkhead__ImageConfig *config, struct bh_error *error)
{
    write_object(writer, "config");
    write_list(writer, "Cmd", config->cmd, config->n_cmd);
    write_list(writer, "Entrypoint", config->entrypoint, config->n_entrypoint);
    write_list(writer, "Env", config->env, config->n_env);
    if (write_set(writer, "ExposedPorts", config->exposed_ports, config->n_exposed_ports, error) < 0) {
        return -1;
    }
    write_healthcheck(writer, config->healthcheck);
    if (write_labels(writer, config, error) < 0) {
        return -1;
    }
    write_list(writer, "OnBuild", config->on_build, config->n_on_build);
    write_list(writer, "Shell", config->shell, config->n_shell);
    write_text(writer, "StopSignal", config->stop_signal);
    write_text(writer, "User", config->user);
    if (write_set(writer, "Volumes", config->volumes, config->n_volumes, error) < 0) {
        return -1;
    }
    write_text(writer, "WorkingDir", config->working_dir);
    write_object_end(writer);
    return 0;
}

static void write_history(struct json_writer *writer, const Bulkhead__ImageConfig *config)
{
    if (config->n_history == 0) {
        return;
    }
    write_array(writer, "history");
    for (size_t i = 0; i < config->n_history; i++) {
        const Bulkhead__History *entry = config->history[i];
        write_object(writer, NULL);
        write_text(writer, "author", entry->author);
        write_text(writer, "comment", entry->comment);
        write_created(writer, entry->created_ns);
        write_text(writer, "created_by", entry->created_by);
        if (entry->empty_layer) {
            write_bool(writer, "empty_layer", true);
        }
        write_object_end(writer);
    }
    write_array_end(writer);
}

static int write_rootfs(struct json_writer *writer, const Bulkhead__ImageConfig *config, struct bh_error *error)
{
    write_object(writer, "rootfs");
    write_array(writer, "diff_ids");
    for (size_t i = 0; i < config->n_diff_ids; i++) {
        struct bh_digest digest;
        char text[BH_DIGEST_TEXT_SIZE];
        if (bh_digest_from_bytes(config->diff_ids[i].data, config->diff_ids[i].len, &digest, error) < 0) {
            return bh_error_wrap(error, "diff ID %zu of the image", i);
        }
        write_string(writer, NULL, bh_digest_text(&digest, text));
    }
    write_array_end(writer);
    write_string(writer, "type", "layers");
    write_object_end(writer);
    return 0;
}

static int write_document(struct json_writer *writer, const Bulkhead__ImageConfig *config, struct bh_error *error)
{
    write_object(writer, NULL);
    write_string(writer, "architecture", config->architecture);
    write_text(writer, "author", config->author);
    write_text(writer, "comment", config->comment);
    if (write_inner(writer, config, error) < 0) {
        return -1;
    }
    write_created(writer, config->created_ns);
    write_text(writer, "docker_version", config->docker_version);
    write_history(writer, config);
    write_string(writer, "os", config->os);
    if (write_rootfs(writer, config, error) < 0) {
        return -1;
    }
    write_text(writer, "variant", config->variant);
    write_object_end(writer);
    return 0;
}

int config_json_write(const Bulkhead__ImageConfig *config, char **ret_bytes, size_t *ret_n_bytes,
                      struct bh_error *error)
{
    struct json_writer writer = {0};
    int result = write_document(&writer, config, error);
    if (result == 0 && writer.failed) {
        result = bh_error_errno(error, ENOMEM, "write an image's config");
    }
    if (result == 0 && writer.n_bytes > BH_CONFIG_BYTES_MAX) {
        result = bh_error_set(error, BH_INVALID_ARGUMENT,
                              "the image's config would have %zu bytes, at most %llu are possible", writer.n_bytes,
                              BH_CONFIG_BYTES_MAX);
    }
    if (result < 0) {
        json_writer_free(&writer);
        return -1;
    }
    *ret_bytes = writer.bytes;
    *ret_n_bytes = writer.n_bytes;
    return 0;
}
