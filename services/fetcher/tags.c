/* SPDX-License-Identifier: Apache-2.0
 *
 * See tags.h.
 */
#include "tags.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "engine_fetcher.pb-c.h"

struct listing {
    struct operation operation; /* first */
    struct body body;
    struct url next;
    bool has_next;
    size_t n_tags, n_pages;
};

static void listing_free(struct operation *operation)
{
    struct listing *listing = (struct listing *)operation;
    body_clear(&listing->body);
    free(listing);
}

bool tags_is_tag(const char *text)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
    size_t length = strlen(text);
    return length > 0 && length <= BH_TAG_BYTES_MAX && strspn(text, allowed) == length && text[0] != '.' &&
           text[0] != '-';
}

int tags_parse(const char *body, size_t n_bytes, json_t **ret_json, char ***ret_tags, size_t *ret_n_tags,
               struct bh_error *error)
{
    json_t *json = json_loadb(body, n_bytes, JSON_REJECT_DUPLICATES, NULL);
    const json_t *list = json_object_get(json, "tags");
    size_t n_tags = json_array_size(list);
    if (!json_is_object(json) || (list && !json_is_array(list) && !json_is_null(list)) || n_tags > TAGS_MAX) {
        json_decref(json);
        return bh_error_set(error, BH_DATA_LOSS, "the registry's list of tags is no list of at most %d tags", TAGS_MAX);
    }
    bh_autofree char **tags = calloc(n_tags + 1, sizeof(*tags));
    int result = tags ? 0 : bh_error_errno(error, ENOMEM, "hold tags");
    for (size_t i = 0; result == 0 && i < n_tags; i++) {
        const char *text = json_string_value(json_array_get(list, i));
        if (!text || !tags_is_tag(text)) {
            result = bh_error_set(error, BH_DATA_LOSS, "the registry lists \"%.64s\", which is no tag",
                                  text ? text : "(no text)");
        }
        tags[i] = (char *)(uintptr_t)text;
    }
    if (result < 0) {
        json_decref(json);
        return -1;
    }
    *ret_json = json;
    *ret_tags = bh_steal_pointer(&tags);
    *ret_n_tags = n_tags;
    return 0;
}

static int on_head(void *argument, const struct response *response, struct bh_error *error)
{
    (void)error;
    struct listing *listing = argument;
    (void)response;
    listing->body.n_bytes = 0;
    return 0;
}

static enum http_take on_body(void *argument, const void *bytes, size_t n_bytes, struct bh_error *error)
{
    struct listing *listing = argument;
    return body_take(&listing->body, bytes, n_bytes, TAGS_PAGE_BYTES_MAX, "list of tags", error) < 0 ? HTTP_REFUSED
                                                                                                     : HTTP_TAKEN;
}

/* Tells the engine of a page's tags. */
static int tell_page(struct listing *listing, struct bh_error *error)
{
    json_t *json = NULL;
    bh_autofree char **tags = NULL;
    size_t n_tags = 0;
    if (tags_parse(listing->body.bytes ? listing->body.bytes : "", listing->body.n_bytes, &json, &tags, &n_tags,
                   error) < 0) {
        return -1;
    }
    int result = 0;
    listing->n_tags += n_tags;
    listing->n_pages++;
    if (listing->n_tags > TAGS_MAX || listing->n_pages > TAGS_PAGES_MAX) {
        result = bh_error_set(error, BH_RESOURCE_EXHAUSTED, "the repository has more than %d tags (or %d pages)",
                              TAGS_MAX, TAGS_PAGES_MAX);
    }
    /* A registry may ignore how many were asked for: a message takes so many at a time. */
    for (size_t at = 0; result == 0 && at < n_tags; at += TAGS_PAGE_TAGS) {
        Bulkhead__TagsListed listed = BULKHEAD__TAGS_LISTED__INIT;
        listed.tags = tags + at;
        listed.n_tags = n_tags - at < TAGS_PAGE_TAGS ? n_tags - at : TAGS_PAGE_TAGS;
        Bulkhead__FetcherToEngine packet = BULKHEAD__FETCHER_TO_ENGINE__INIT;
        packet.body_case = BULKHEAD__FETCHER_TO_ENGINE__BODY_TAGS_LISTED;
        packet.tags_listed = &listed;
        (void)bh_request_progress(listing->operation.request, &packet.base, NULL, 0);
    }
    json_decref(json);
    return result;
}

/* The next page is the registry's own, or there is none. */
static int take_next(void *argument, const struct response *response, struct bh_error *error)
{
    struct listing *listing = argument;
    const struct url *from = exchange_url(listing->operation.exchange);
    if (!response) {
        return -1; /* it broke off: that is no whole list */
    }
    listing->has_next = response->has_next;
    if (!listing->has_next) {
        return 0;
    }
    if (url_resolve(from, response->next, &listing->next, error) < 0) {
        return bh_error_wrap(error, "list the tags");
    }
    if (!origin_equal(&from->origin, &listing->next.origin)) {
        return bh_error_set(error, BH_PERMISSION_DENIED, "the list of tags goes on at another host (%s)",
                            listing->next.origin.host);
    }
    return 0;
}

static void on_done(void *argument, const struct response *response, const struct bh_error *error);

static int ask_page(struct listing *listing, struct bh_error *error)
{
    static const struct exchange_feature feature = {
        .head = on_head, .body = on_body, .complete = take_next, .done = on_done};
    const struct job *job = listing->operation.job;
    char target[URL_TARGET_SIZE];
    (void)snprintf(target, sizeof(target), "/v2/%s/tags/list?n=%d", job->session.repository, TAGS_PAGE_TAGS);
    const struct exchange_question question = {
        .target = target, .at = listing->has_next ? &listing->next : NULL, .patient = listing->has_next};
    listing->operation.exchange = NULL;
    return exchange_start(&listing->operation.job->session, &question, &feature, listing, &listing->operation.exchange,
                          error);
}

static void on_done(void *argument, const struct response *response, const struct bh_error *error)
{
    (void)response;
    struct listing *listing = argument;
    struct bh_error failure = {0};
    if (error) {
        operation_end(&listing->operation, error);
    } else if (tell_page(listing, &failure) < 0 || (listing->has_next && ask_page(listing, &failure) < 0)) {
        operation_end(&listing->operation, &failure);
    } else if (!listing->has_next) {
        Bulkhead__Done done = BULKHEAD__DONE__INIT;
        Bulkhead__FetcherToEngine packet = BULKHEAD__FETCHER_TO_ENGINE__INIT;
        packet.body_case = BULKHEAD__FETCHER_TO_ENGINE__BODY_DONE;
        packet.done = &done;
        (void)bh_request_reply(listing->operation.request, &packet.base, NULL, 0);
        operation_end(&listing->operation, NULL);
    }
}

int tags_start(struct job *job, struct bh_request *request, struct bh_error *error)
{
    struct listing *listing = calloc(1, sizeof(*listing));
    if (!listing) {
        return bh_error_errno(error, ENOMEM, "hold a list of tags");
    }
    listing->operation.free = listing_free;
    if (operation_begin(&listing->operation, job, request, error) < 0) {
        listing_free(&listing->operation);
        return -1;
    }
    if (ask_page(listing, error) < 0) {
        operation_end(&listing->operation, NULL);
        return -1;
    }
    return 0;
}
