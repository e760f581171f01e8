/* SPDX-License-Identifier: Apache-2.0
 *
 * See search.h.
 */
#include "search.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "body.h"
#include "common/cleanup.h"
#include "engine_fetcher.pb-c.h"

struct search {
    struct operation operation; /* first */
    struct body body;
    uint32_t limit;
};

static void search_free(struct operation *operation)
{
    struct search *search = (struct search *)operation;
    body_clear(&search->body);
    free(search);
}

static int on_head(void *argument, const struct response *response, struct bh_error *error)
{
    (void)response;
    (void)error;
    ((struct search *)argument)->body.n_bytes = 0;
    return 0;
}

static enum http_take on_body(void *argument, const void *bytes, size_t n_bytes, struct bh_error *error)
{
    struct search *search = argument;
    return body_take(&search->body, bytes, n_bytes, SEARCH_BYTES_MAX, "search result", error) < 0 ? HTTP_REFUSED
                                                                                                  : HTTP_TAKEN;
}

/* Cuts at a character's beginning. */
static void copy_bounded(char *to, size_t to_size, const json_t *from)
{
    const char *text = json_string_value(from);
    size_t length = text ? strlen(text) : 0;
    if (length >= to_size) {
        length = to_size - 1;
        while (length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80) {
            length--;
        }
    }
    memcpy(to, text ? text : "", length);
    to[length] = '\0';
}

static void tell_found(const struct search *search, const json_t *entry)
{
    char name[SEARCH_NAME_MAX + 1], description[SEARCH_DESCRIPTION_MAX + 1];
    Bulkhead__ImageFound found = BULKHEAD__IMAGE_FOUND__INIT;
    copy_bounded(name, sizeof(name), json_object_get(entry, "name"));
    copy_bounded(description, sizeof(description), json_object_get(entry, "description"));
    if (!name[0]) {
        return;
    }
    found.name = name;
    found.description = description;
    found.stars = json_integer_value(json_object_get(entry, "star_count"));
    found.official = json_is_true(json_object_get(entry, "is_official"));
    found.automated = json_is_true(json_object_get(entry, "is_automated"));
    Bulkhead__FetcherToEngine packet = BULKHEAD__FETCHER_TO_ENGINE__INIT;
    packet.body_case = BULKHEAD__FETCHER_TO_ENGINE__BODY_IMAGE_FOUND;
    packet.image_found = &found;
    (void)bh_request_progress(search->operation.request, &packet.base, NULL, 0);
}

static int tell_results(const struct search *search, struct bh_error *error)
{
    json_t *json =
        search->body.bytes ? json_loadb(search->body.bytes, search->body.n_bytes, JSON_REJECT_DUPLICATES, NULL) : NULL;
    const json_t *results = json_object_get(json, "results");
    if (!json_is_array(results)) {
        json_decref(json);
        return bh_error_set(error, BH_DATA_LOSS, "the index answers a search with something that is no list of images");
    }
    for (size_t i = 0; i < json_array_size(results) && i < search->limit; i++) {
        tell_found(search, json_array_get(results, i));
    }
    json_decref(json);
    return 0;
}

static void on_done(void *argument, const struct response *response, const struct bh_error *error)
{
    struct search *search = argument;
    struct bh_error failure = {0};
    if (error && response) {
        /* Docker's words, also for a registry that knows no search. */
        (void)bh_error_set(&failure, error->code == BH_UNAUTHENTICATED ? BH_UNAUTHENTICATED : BH_UNKNOWN,
                           "Unexpected status code %u", response->status);
        operation_end(&search->operation, &failure);
    } else if (error) {
        operation_end(&search->operation, error);
    } else if (tell_results(search, &failure) < 0) {
        operation_end(&search->operation, &failure);
    } else {
        Bulkhead__Done done = BULKHEAD__DONE__INIT;
        Bulkhead__FetcherToEngine packet = BULKHEAD__FETCHER_TO_ENGINE__INIT;
        packet.body_case = BULKHEAD__FETCHER_TO_ENGINE__BODY_DONE;
        packet.done = &done;
        (void)bh_request_reply(search->operation.request, &packet.base, NULL, 0);
        operation_end(&search->operation, NULL);
    }
}

/* The term is a user's: all but letters and digits is escaped (RFC 3986, 2.1). */
static int make_target(const char *term, uint32_t limit, char *target, size_t target_size, struct bh_error *error)
{
    int n = snprintf(target, target_size, "/v1/search?q=");
    size_t used = n > 0 ? (size_t)n : 0;
    for (const char *at = term; *at && used < target_size; at++) {
        bool plain = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') || (*at >= '0' && *at <= '9');
        n = snprintf(target + used, target_size - used, plain ? "%c" : "%%%02X", (unsigned char)*at);
        used += n > 0 ? (size_t)n : 0;
    }
    n = used < target_size ? snprintf(target + used, target_size - used, "&n=%u", limit) : -1;
    return n > 0 && used + (size_t)n < target_size
               ? 0
               : bh_error_set(error, BH_INVALID_ARGUMENT, "the search term is longer than %d bytes", SEARCH_TERM_MAX);
}

int search_start(struct job *job, struct bh_request *request, const char *term, uint32_t limit, struct bh_error *error)
{
    static const struct exchange_feature feature = {.head = on_head, .body = on_body, .done = on_done};
    char target[URL_TARGET_SIZE];
    if (limit == 0 || limit > SEARCH_LIMIT_MAX || strlen(term) > SEARCH_TERM_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "a search is for 1 to %d images and at most %d bytes",
                            SEARCH_LIMIT_MAX, SEARCH_TERM_MAX);
    }
    if (make_target(term, limit, target, sizeof(target), error) < 0) {
        return -1;
    }
    struct search *search = calloc(1, sizeof(*search));
    if (!search) {
        return bh_error_errno(error, ENOMEM, "hold a search");
    }
    search->operation.free = search_free;
    search->limit = limit;
    const struct exchange_question question = {.target = target};
    if (operation_begin(&search->operation, job, request, error) < 0) {
        search_free(&search->operation);
        return -1;
    }
    if (exchange_start(&job->session, &question, &feature, search, &search->operation.exchange, error) < 0) {
        operation_end(&search->operation, NULL);
        return -1;
    }
    return 0;
}
