/* SPDX-License-Identifier: Apache-2.0
 *
 * See json_types.h. What is shown of images was written by strangers: it becomes strings and nothing else.
 */
#include "json_types.h"

#include "common/digest.h"
#include "common/docker_time.h"

const char *id_hex(const ProtobufCBinaryData *id, char *buffer)
{
    struct bh_digest digest;
    if (bh_digest_from_bytes(id->data, id->len, &digest, NULL) < 0) {
        buffer[0] = '\0';
        return buffer;
    }
    return bh_digest_hex(&digest, buffer);
}

void write_digest(struct json_writer *writer, const char *key, const ProtobufCBinaryData *bytes)
{
    struct bh_digest digest;
    char text[BH_DIGEST_TEXT_SIZE] = "";
    if (bh_digest_from_bytes(bytes->data, bytes->len, &digest, NULL) == 0) {
        bh_digest_text(&digest, text);
    }
    write_string(writer, key, text);
}

void write_map(struct json_writer *writer, const char *key, Bulkhead__KeyValue *const *pairs, size_t n_pairs)
{
    write_object(writer, key);
    for (size_t i = 0; i < n_pairs; i++) {
        write_string(writer, pairs[i]->key, pairs[i]->value);
    }
    write_object_end(writer);
}

void write_keys(struct json_writer *writer, const char *key, char *const *values, size_t n_values, bool null_if_empty)
{
    if (n_values == 0 && null_if_empty) {
        write_null(writer, key);
        return;
    }
    write_object(writer, key);
    for (size_t i = 0; i < n_values; i++) {
        write_object(writer, values[i]);
        write_object_end(writer);
    }
    write_object_end(writer);
}

void write_healthcheck(struct json_writer *writer, const Bulkhead__Healthcheck *healthcheck)
{
    if (!healthcheck) {
        return;
    }
    write_object(writer, "Healthcheck");
    write_strings(writer, "Test", healthcheck->test, healthcheck->n_test, false);
    const struct {
        const char *name;
        int64_t value;
    } numbers[] = {
        {"Interval", healthcheck->interval_ns},
        {"Timeout", healthcheck->timeout_ns},
        {"StartPeriod", healthcheck->start_period_ns},
        {"StartInterval", healthcheck->start_interval_ns},
        {"Retries", healthcheck->retries},
    };
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        if (numbers[i].value != 0) { /* a default is not told */
            write_int(writer, numbers[i].name, numbers[i].value);
        }
    }
    write_object_end(writer);
}

void write_image_config(struct json_writer *writer, const char *key, const Bulkhead__ImageConfig *config)
{
    write_object(writer, key);
    write_string(writer, "Hostname", "");
    write_string(writer, "Domainname", "");
    write_string(writer, "User", config->user);
    write_bool(writer, "AttachStdin", false);
    write_bool(writer, "AttachStdout", false);
    write_bool(writer, "AttachStderr", false);
    if (config->n_exposed_ports > 0) {
        write_keys(writer, "ExposedPorts", config->exposed_ports, config->n_exposed_ports, false);
    }
    write_bool(writer, "Tty", false);
    write_bool(writer, "OpenStdin", false);
    write_bool(writer, "StdinOnce", false);
    write_strings(writer, "Env", config->env, config->n_env, true);
    write_strings(writer, "Cmd", config->cmd, config->n_cmd, true);
    write_healthcheck(writer, config->healthcheck);
    write_string(writer, "Image", "");
    write_keys(writer, "Volumes", config->volumes, config->n_volumes, true);
    write_string(writer, "WorkingDir", config->working_dir);
    write_strings(writer, "Entrypoint", config->entrypoint, config->n_entrypoint, true);
    write_strings(writer, "OnBuild", config->on_build, config->n_on_build, true);
    if (config->n_labels > 0) {
        write_map(writer, "Labels", config->labels, config->n_labels);
    } else {
        write_null(writer, "Labels");
    }
    if (*config->stop_signal) {
        write_string(writer, "StopSignal", config->stop_signal);
    }
    if (config->n_shell > 0) {
        write_strings(writer, "Shell", config->shell, config->n_shell, false);
    }
    write_object_end(writer);
}

void write_time(struct json_writer *writer, const char *key, int64_t ns)
{
    char text[DOCKER_TIME_SIZE];
    write_string(writer, key, docker_time(ns, text));
}
