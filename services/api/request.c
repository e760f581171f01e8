/* SPDX-License-Identifier: Apache-2.0
 *
 * The parts of a request that many handlers read, and the small answers. Everything read here was written by a client.
 */
#include "request.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/cleanup.h"

#define DROPPED_BODY_MAX 65536

static bool is_json_type(const char *type)
{
    size_t length = strcspn(type, "; \t");
    return length == strlen("application/json") && strncasecmp(type, "application/json", length) == 0;
}

int request_read_object(struct request *request, bool may_be_empty, json_t **ret_object, struct bh_error *error)
{
    bh_autofree char *body = NULL;
    size_t n_bytes;
    const char *type = http_head_field(&request->connection->head, "Content-Type");
    bool has_body = connection_has_body(request->connection);
    if (has_body && (!type || !is_json_type(type))) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "unsupported Content-Type header (%s): must be 'application/json'", type ? type : "");
    }
    if (connection_read_whole_body(request->connection, JSON_BODY_BYTES_MAX, &body, &n_bytes, error) < 0) {
        return -1;
    }
    if (n_bytes == 0) {
        *ret_object = NULL;
        return may_be_empty
                   ? 0
                   : bh_error_set(error, BH_INVALID_ARGUMENT, "invalid JSON: got EOF while reading request body");
    }
    return json_parse_object(body, n_bytes, "the request's body", ret_object, error);
}

int request_drop_body(struct request *request, struct bh_error *error)
{
    bh_autofree char *body = NULL;
    size_t n_bytes;
    if (connection_read_whole_body(request->connection, DROPPED_BODY_MAX, &body, &n_bytes, error) < 0) {
        return error->code == BH_RESOURCE_EXHAUSTED
                   ? bh_error_set(error, BH_INVALID_ARGUMENT, "this operation takes no request body")
                   : -1;
    }
    return 0;
}

int request_container_name(struct request *request, struct bh_error *error)
{
    char *name = request->name;
    if (*name == '/') {
        memmove(name, name + 1, strlen(name));
    }
    bool valid = isalnum((unsigned char)*name) && strlen(name) <= BH_NAME_BYTES_MAX;
    for (const char *c = name; valid && *c; c++) {
        valid = isalnum((unsigned char)*c) || *c == '_' || *c == '.' || *c == '-';
    }
    return valid ? 0 : bh_error_set(error, BH_NOT_FOUND, "No such container: %s", name);
}

int container_name_check(const char *name, struct bh_error *error)
{
    size_t length = strlen(name);
    bool valid = length >= 2 && length <= BH_NAME_BYTES_MAX && isalnum((unsigned char)*name);
    for (const char *c = name; valid && *c; c++) {
        valid = isalnum((unsigned char)*c) || *c == '_' || *c == '.' || *c == '-';
    }
    return valid ? 0
                 : bh_error_set(error, BH_INVALID_ARGUMENT,
                                "Invalid container name (%s), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed", name);
}

static bool listed(const char *const *allowed, const char *key)
{
    for (; *allowed; allowed++) {
        if (strcmp(*allowed, key) == 0) {
            return true;
        }
    }
    return false;
}

static int read_filter(const char *key, json_t *values, Bulkhead__Filter *filter, struct bh_error *error)
{
    char field[64];
    snprintf(field, sizeof(field), "filters.%.40s", key);
    filter->key = strdup(key);
    if (!filter->key) {
        filter->key = (char *)(uintptr_t)protobuf_c_empty_string;
        return out_of_memory(error);
    }
    if (!json_is_object(values)) {
        return take_strings(values, field, &filter->n_values, &filter->values, error);
    }
    const char *value;
    json_t *on;
    filter->values = calloc(json_object_size(values) + 1, sizeof(char *));
    if (!filter->values) {
        return out_of_memory(error);
    }
    json_object_foreach(values, value, on)
    {
        if (!json_is_boolean(on)) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid filter: %s must be an array of strings", field);
        }
        if (json_is_true(on)) {
            char *copy = strdup(value);
            if (!copy) {
                return out_of_memory(error);
            }
            filter->values[filter->n_values++] = copy;
        }
    }
    return 0;
}

static int read_filters(json_t *object, const char *const *allowed, struct request_filters *filters,
                        struct bh_error *error)
{
    const char *key;
    json_t *values;
    filters->filters = calloc(json_object_size(object) + 1, sizeof(*filters->filters));
    if (!filters->filters) {
        return out_of_memory(error);
    }
    json_object_foreach(object, key, values)
    {
        if (!listed(allowed, key)) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid filter '%s'", key);
        }
        Bulkhead__Filter *filter = malloc(sizeof(*filter));
        if (!filter) {
            return out_of_memory(error);
        }
        bulkhead__filter__init(filter);
        filters->filters[filters->n_filters++] = filter;
        if (read_filter(key, values, filter, error) < 0) {
            return -1;
        }
    }
    return 0;
}

int request_filters_read(const struct request *request, const char *const *allowed, struct request_filters *ret_filters,
                         struct bh_error *error)
{
    auto_json *object = NULL;
    struct request_filters filters = {0};
    const char *text = http_parameter(&request->target, "filters");
    if (text && *text) {
        if (json_parse_object(text, strlen(text), "filters", &object, error) < 0) {
            return -1;
        }
        if (read_filters(object, allowed, &filters, error) < 0) {
            request_filters_free(&filters);
            return -1;
        }
    }
    *ret_filters = filters;
    return 0;
}

void request_filters_free(struct request_filters *filters)
{
    for (size_t i = 0; i < filters->n_filters; i++) {
        bulkhead__filter__free_unpacked(filters->filters[i], NULL);
    }
    free(filters->filters);
    *filters = (struct request_filters){0};
}

int request_answer_json(struct request *request, int status, struct json_writer *writer, struct bh_error *error)
{
    write_line_end(writer);
    if (writer->failed) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "out of memory while writing the answer");
    }
    (void)connection_respond(request->connection, status, "application/json", NULL, writer->bytes, writer->n_bytes);
    return 0;
}

int request_answer_empty(struct request *request, int status)
{
    (void)connection_respond(request->connection, status, NULL, NULL, NULL, 0);
    return 0;
}

int request_answer_text(struct request *request, int status, const char *text)
{
    (void)connection_respond(request->connection, status, "text/plain; charset=utf-8", NULL, text, strlen(text));
    return 0;
}

int request_answer_error(struct request *request, int status, const char *message)
{
    auto_json_writer writer = {0};
    struct bh_error error = {0};
    write_object(&writer, NULL);
    write_string(&writer, "message", message);
    write_object_end(&writer);
    return request_answer_json(request, status, &writer, &error);
}
