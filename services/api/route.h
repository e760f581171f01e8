/* SPDX-License-Identifier: Apache-2.0
 *
 * Which handler serves which method and path: one const table with every operation of the Docker Engine API, those that
 * are not served included.
 */
#pragma once

#include "request.h"

/* Finds the route and calls its handler; answers 404, 405, 501 and 503 itself. */
int route_request(struct request *request, struct bh_error *error);

struct route {
    const char *method;
    const char *pattern;    /* "{id}" is one segment, "{name}" one or more */
    request_handler handle; /* NULL: `without` says why not */
    const char *without;    /* the message of the refusal; NULL: a general one */
    int status;             /* of the refusal; 0: 501 */
    unsigned since;         /* API minor version it came with; 0: all served ones */
    bool alone;             /* a path that fits nothing else is unknown to other methods */
};

/* Ends with a row without a method. For tests and the table in docs/api.md. */
extern const struct route routes[];

/* Whether `path` fits `pattern`; *ret_name and *ret_bytes tell what stood for the braces. */
bool route_matches(const char *pattern, const char *path, const char **ret_name, size_t *ret_bytes);
