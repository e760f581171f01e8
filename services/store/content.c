/* SPDX-License-Identifier: Apache-2.0
 *
 * What is stored; see content.h.
 */
#include "content.h"

#include <stdlib.h>

#include "common/cleanup.h"
#include "blob.h"
#include "engine_store.pb-c.h"

#define ENTRIES_PER_TURN 32
#define TURN_PAUSE_US    1000

int content_stat(struct store *store, const struct bh_digest *digest, struct bh_request *request,
                 struct bh_error *error)
{
    struct layout_content content;
    if (layout_stat(&store->layout, digest, &content, error) < 0) {
        return -1;
    }
    Bulkhead__ContentStat stat = BULKHEAD__CONTENT_STAT__INIT;
    Bulkhead__StoreToEngine packet = BULKHEAD__STORE_TO_ENGINE__INIT;
    stat.blob = content.blob;
    stat.blob_bytes = content.blob_bytes;
    stat.layer = content.layer;
    if (content.layer) {
        stat.layer_bytes = content.record.image_bytes;
        stat.content_bytes = content.record.content_bytes;
        stat.diff_id.data = content.record.diff_id.bytes;
        stat.diff_id.len = BH_DIGEST_BYTES;
    }
    packet.body_case = BULKHEAD__STORE_TO_ENGINE__BODY_CONTENT_STAT;
    packet.content_stat = &stat;
    (void)bh_request_reply(request, &packet.base, NULL, 0);
    return 0;
}

/* ---- opening --------------------------------------------------------------------------------------------------- */

static void answer_opened(struct bh_request *request, int fd, uint64_t size_bytes)
{
    Bulkhead__ContentOpened opened = BULKHEAD__CONTENT_OPENED__INIT;
    Bulkhead__StoreToEngine packet = BULKHEAD__STORE_TO_ENGINE__INIT;
    opened.size_bytes = size_bytes;
    packet.body_case = BULKHEAD__STORE_TO_ENGINE__BODY_CONTENT_OPENED;
    packet.content_opened = &opened;
    (void)bh_request_reply(request, &packet.base, &fd, 1);
}

int content_open_blob(struct store *store, const struct bh_digest *digest, struct bh_request *request,
                      struct bh_error *error)
{
    bh_autoclose int fd = -1;
    uint64_t size_bytes = 0;
    if (layout_open_blob(&store->layout, digest, &fd, &size_bytes, error) < 0) {
        return -1;
    }
    answer_opened(request, fd, size_bytes);
    return 0;
}

int content_open_spool(struct store *store, uint64_t spool, struct bh_request *request, struct bh_error *error)
{
    bh_autoclose int fd = -1;
    uint64_t size_bytes = 0;
    if (spool_open(store, spool, &fd, &size_bytes, error) < 0) {
        return -1;
    }
    answer_opened(request, fd, size_bytes);
    return 0;
}

/* ---- listing --------------------------------------------------------------------------------------------------- */

struct listing {
    struct store *store;
    struct bh_request *request; /* counted */
    struct bh_digest *digests;
    size_t count, next;
    struct event *turn;
};

static void listing_free(struct listing *listing)
{
    if (listing->turn) {
        event_free(listing->turn);
    }
    bh_request_unref(listing->request);
    free(listing->digests);
    free(listing);
}

/* True if the entry was sent, or is gone. */
static bool send_entry(struct listing *listing, const struct bh_digest *digest)
{
    struct layout_content content;
    struct bh_error error;
    if (layout_stat(&listing->store->layout, digest, &content, &error) < 0 || (!content.blob && !content.layer)) {
        return true;
    }
    struct bh_digest copy = *digest;
    Bulkhead__ContentEntry entry = BULKHEAD__CONTENT_ENTRY__INIT;
    Bulkhead__StoreToEngine packet = BULKHEAD__STORE_TO_ENGINE__INIT;
    entry.digest.data = copy.bytes;
    entry.digest.len = BH_DIGEST_BYTES;
    entry.blob = content.blob;
    entry.layer = content.layer;
    entry.bytes = content.blob_bytes + content.record.image_bytes;
    packet.body_case = BULKHEAD__STORE_TO_ENGINE__BODY_CONTENT_ENTRY;
    packet.content_entry = &entry;
    return bh_request_progress(listing->request, &packet.base, NULL, 0) == 0;
}

static void on_turn(evutil_socket_t fd, short what, void *argument)
{
    (void)fd;
    (void)what;
    struct listing *listing = argument;
    const struct timeval pause = {.tv_usec = TURN_PAUSE_US};
    if (bh_request_cancelled(listing->request)) {
        listing_free(listing);
        return;
    }
    for (int i = 0; i < ENTRIES_PER_TURN && listing->next < listing->count; i++) {
        if (!send_entry(listing, &listing->digests[listing->next])) {
            break; /* the engine is behind: once more after the pause, until its deadline */
        }
        listing->next++;
    }
    if (listing->next < listing->count) {
        (void)evtimer_add(listing->turn, &pause);
        return;
    }
    Bulkhead__Done done = BULKHEAD__DONE__INIT;
    Bulkhead__StoreToEngine packet = BULKHEAD__STORE_TO_ENGINE__INIT;
    packet.body_case = BULKHEAD__STORE_TO_ENGINE__BODY_DONE;
    packet.done = &done;
    (void)bh_request_reply(listing->request, &packet.base, NULL, 0);
    listing_free(listing);
}

int content_list(struct store *store, struct bh_request *request, struct bh_error *error)
{
    struct listing *listing = calloc(1, sizeof(*listing));
    if (!listing) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "no memory for a list");
    }
    listing->store = store;
    listing->request = bh_request_ref(request);
    listing->turn = evtimer_new(store->context->base, on_turn, listing);
    if (!listing->turn) {
        listing_free(listing);
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "no memory for a timer");
    }
    if (layout_list(&store->layout, &listing->digests, &listing->count, error) < 0) {
        listing_free(listing);
        return -1;
    }
    on_turn(-1, 0, listing);
    return 0;
}
