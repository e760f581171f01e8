/* SPDX-License-Identifier: Apache-2.0
 *
 * What a handler gets: one request, its connection, and the ways to answer. A handler returns 0 when it has answered;
 * -1 with an error makes server.c answer for it, by the table in error_map.c.
 */
#pragma once

#include <stdbool.h>

#include "api.h"
#include "api_engine.pb-c.h"
#include "common/reference.h"
#include "connection.h"
#include "http_target.h"
#include "json_read.h"
#include "common/json_write.h"

struct request {
    struct api *api;
    struct connection *connection;
    struct http_target target;
    unsigned version;                       /* minor of the API version: 24..47 */
    char name[BH_REFERENCE_BYTES_MAX + 80]; /* what {id} or {name} in the route stands for */
};

typedef int (*request_handler)(struct request *request, struct bh_error *error);

/* The JSON body, one object; *ret_object is NULL where the body is empty and may be. Refuses other content types. */
int request_read_object(struct request *request, bool may_be_empty, json_t **ret_object, struct bh_error *error);
/* For operations without a body: one that is there all the same is dropped, as Docker does (dockerode sends what it was
 * called with along as JSON). One that is larger than any of these is refused. */
int request_drop_body(struct request *request, struct bh_error *error);

/* Checks request->name as a container's name, id or prefix ("/name" is read as "name"); Docker's 404 for what cannot be
 * one. */
int request_container_name(struct request *request, struct bh_error *error);

/* A name for a container, as a client chose it. */
int container_name_check(const char *name, struct bh_error *error);

/* The `filters` parameter: {"key":["value",…]} or the older {"key":{"value":true}}. `allowed` ends with NULL. */
struct request_filters {
    Bulkhead__Filter **filters;
    size_t n_filters;
};
int request_filters_read(const struct request *request, const char *const *allowed, struct request_filters *ret_filters,
                         struct bh_error *error);
void request_filters_free(struct request_filters *filters);

/* Answers. All return 0, also when the client is gone: there is nobody left to tell. */
int request_answer_json(struct request *request, int status, struct json_writer *writer, struct bh_error *error);
int request_answer_empty(struct request *request, int status);
int request_answer_text(struct request *request, int status, const char *text);
int request_answer_error(struct request *request, int status, const char *message);
