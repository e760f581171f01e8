/* SPDX-License-Identifier: Apache-2.0
 *
 * Paths of requests with what belongs in them encoded: the one place where a user's word becomes part of a URL.
 */
#pragma once

#include <jansson.h>

#include "engine.h"
#include "string_list.h"

/* "/containers/" + `name`, encoded + "/json". Owned by the caller. An empty name is refused. */
int query_path(char **ret_path, const char *before, const char *name, const char *after, struct bh_error *error);

/* Appends "?key=value" or "&key=value", encoded, replacing *path; nothing if `value` is NULL. */
int query_add(char **path, const char *key, const char *value, struct bh_error *error);
/* key=1 if it is on. */
int query_add_flag(char **path, const char *key, bool on, struct bh_error *error);
/* One for each of the list. */
int query_add_list(char **path, const char *key, const struct strings *values, struct bh_error *error);

/* query_path() and engine_ask() in one. */
int query_ask(struct engine *engine, const char *method, const char *before, const char *name, const char *after,
              json_t **ret_answer, struct bh_error *error);
/* What `inspect` knows of a container. */
int query_container(struct engine *engine, const char *name, json_t **ret_details, struct bh_error *error);
