/* SPDX-License-Identifier: Apache-2.0
 *
 * The engine as commands see it: ask, and get JSON, a stream, or an error in the engine's own words. Keeps one
 * connection alive between questions.
 */
#pragma once

#include <jansson.h>

#include "common/error.h"
#include "http_client.h"

struct engine;

/* `host` is what -H said, or NULL: then BULKHEAD_HOST, DOCKER_HOST, and the default socket, in this order. Does not
 * connect yet. */
int engine_new(const char *host, struct engine **ret_engine, struct bh_error *error);
void engine_free(struct engine *engine);
/* "unix:///run/...", or "ssh://..." */
const char *engine_host(const struct engine *engine);

/* Asks, with `body` as JSON (NULL: none), and takes the whole answer. *ret_answer (NULL: not wanted) is owned by the
 * caller, and NULL where the answer has no body. An HTTP status of 400 and up is an error with the engine's message. */
int engine_ask(struct engine *engine, const char *method, const char *path, const json_t *body, json_t **ret_answer,
               struct bh_error *error);
/* The same for answers that are no JSON: as text. */
int engine_ask_text(struct engine *engine, const char *method, const char *path, char **ret_text, size_t *ret_bytes,
                    struct bh_error *error);

/* What a stream is asked for. The path's version prefix is added, as in all of these. */
struct engine_question {
    const char *method, *path;
    const char *extra;  /* header lines, each with its CRLF; NULL if none */
    const json_t *body; /* NULL: none */
    bool upgrade;       /* ask for the raw connection */
    bool uploads;       /* an archive follows, by http_write_chunk() */
};

/* Asks on a connection of its own, and hands it over once the answer's head has come: a stream to http_read(). */
int engine_stream(struct engine *engine, const struct engine_question *question,
                  struct http_connection **ret_connection, struct http_head *ret_head, struct bh_error *error);
/* The two halves of it, so that several questions can be under way at once. */
int engine_stream_send(struct engine *engine, const struct engine_question *question,
                       struct http_connection **ret_connection, struct bh_error *error);
int engine_stream_receive(struct http_connection *connection, struct http_head *ret_head, struct bh_error *error);

/* Sends what can be read from `fd` as the question's upload; the answer is read like engine_stream()'s. */
int engine_upload(struct engine *engine, const struct engine_question *question, int fd,
                  struct http_connection **ret_connection, struct bh_error *error);

/* A connection by itself, for who carries somebody else's bytes. */
int engine_connect(struct engine *engine, struct http_connection **ret_connection, struct bh_error *error);
/* From now on an answer that takes longer is an error. 0: wait for ever, as at the beginning. */
void engine_set_timeout(struct engine *engine, unsigned int timeout_ms);

/* Percent-encodes `text` for a path or a query value; `/`, `:` and `@`, which image names have, stay. Owned by the
 * caller; NULL without memory. */
char *engine_escape(const char *text);
