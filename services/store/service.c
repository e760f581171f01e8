/* SPDX-License-Identifier: Apache-2.0
 *
 * The store's one channel, to the engine: what it may ask, and who does it. Handlers decode, validate, call the
 * feature, and answer what it could not begin. Nothing that is asked waits for a disk or a pipe on the loop.
 */
#include "service.h"

#include <signal.h>

#include "blob.h"
#include "common/log.h"
#include "content.h"
#include "engine_store.pb-c.h"
#include "ingest.h"
#include "layer.h"
#include "requests.h"
#include "sandbox.h"
#include "store.h"

static struct store *store_of(const struct bh_request *request)
{
    const struct bh_service_context *context = bh_request_owner(request);
    return context->state;
}

static void answer_done(struct bh_request *request)
{
    Bulkhead__Done done = BULKHEAD__DONE__INIT;
    Bulkhead__StoreToEngine packet = BULKHEAD__STORE_TO_ENGINE__INIT;
    packet.body_case = BULKHEAD__STORE_TO_ENGINE__BODY_DONE;
    packet.done = &done;
    (void)bh_request_reply(request, &packet.base, NULL, 0);
}

static void fail_if(int result, struct bh_request *request, const struct bh_error *error)
{
    if (result < 0) {
        bh_log_failure(error->code == BH_NOT_FOUND || error->code == BH_ALREADY_EXISTS ? BH_LOG_DEBUG : BH_LOG_WARNING,
                       error, "a request was refused");
        (void)bh_request_fail(request, error);
    }
}

/* ---- handlers -------------------------------------------------------------------------------------------------- */

static void handle_begin_blob(struct bh_request *request)
{
    struct blob_request wanted;
    struct bh_error error;
    int result = blob_request_from(bh_request_body(request), &wanted, &error);
    fail_if(result < 0 ? result : blob_begin(store_of(request), &wanted, request, &error), request, &error);
}

static void handle_begin_spool(struct bh_request *request)
{
    uint64_t max_bytes = 0;
    struct bh_error error;
    int result = spool_request_from(bh_request_body(request), &max_bytes, &error);
    fail_if(result < 0 ? result : spool_begin(store_of(request), max_bytes, request, &error), request, &error);
}

static void handle_begin_layer(struct bh_request *request)
{
    const Bulkhead__BeginLayer *message = bh_request_body(request);
    struct bh_digest digest;
    struct bh_error error;
    int result = bh_digest_from_bytes(message->blob_digest.data, message->blob_digest.len, &digest, &error);
    fail_if(result < 0 ? result : layer_begin(store_of(request), &digest, request, &error), request, &error);
}

static void handle_seal_layer(struct bh_request *request)
{
    const Bulkhead__SealLayer *message = bh_request_body(request);
    struct bh_digest diff_id;
    struct bh_error error;
    int result = bh_digest_from_bytes(message->diff_id.data, message->diff_id.len, &diff_id, &error);
    fail_if(result < 0 ? result : layer_seal(store_of(request), message->ingest, &diff_id, request, &error), request,
            &error);
}

static void handle_abort_ingest(struct bh_request *request)
{
    const Bulkhead__AbortIngest *message = bh_request_body(request);
    struct ingest *ingest = ingest_find(store_of(request), message->ingest, 0);
    if (ingest) {
        ingest_end(ingest, false);
    }
    answer_done(request); /* what has ended already needs no abort */
}

static void handle_open_blob(struct bh_request *request)
{
    const Bulkhead__OpenBlob *message = bh_request_body(request);
    struct bh_digest digest;
    struct bh_error error;
    int result = bh_digest_from_bytes(message->digest.data, message->digest.len, &digest, &error);
    fail_if(result < 0 ? result : content_open_blob(store_of(request), &digest, request, &error), request, &error);
}

static void handle_open_spool(struct bh_request *request)
{
    const Bulkhead__OpenSpool *message = bh_request_body(request);
    struct bh_error error;
    fail_if(content_open_spool(store_of(request), message->spool, request, &error), request, &error);
}

static void handle_stat_content(struct bh_request *request)
{
    const Bulkhead__StatContent *message = bh_request_body(request);
    struct bh_digest digest;
    struct bh_error error;
    int result = bh_digest_from_bytes(message->digest.data, message->digest.len, &digest, &error);
    fail_if(result < 0 ? result : content_stat(store_of(request), &digest, request, &error), request, &error);
}

static void handle_list_content(struct bh_request *request)
{
    struct bh_error error;
    struct store *listed = store_of(request);
    /* Asked before a garbage collection: the moment to let go of what no collection can name. */
    fail_if(layout_expire_partials(&listed->layout, &error) < 0 ? -1 : content_list(listed, request, &error), request,
            &error);
}

static void handle_delete_content(struct bh_request *request)
{
    const Bulkhead__DeleteContent *message = bh_request_body(request);
    struct bh_digest digest;
    struct bh_error error;
    if (bh_digest_from_bytes(message->digest.data, message->digest.len, &digest, &error) < 0 ||
        layout_delete(&store_of(request)->layout, &digest, &error) < 0) {
        fail_if(-1, request, &error);
        return;
    }
    answer_done(request);
}

#define ROW(KIND, name)                                                                                                \
    {                                                                                                                  \
        BULKHEAD__ENGINE_TO_STORE__BODY_##KIND, #name, ~0U, 0, 0, handle_##name                                        \
    }

static const struct bh_handler handlers[] = {
    ROW(BEGIN_BLOB, begin_blob),
    ROW(BEGIN_SPOOL, begin_spool),
    ROW(BEGIN_LAYER, begin_layer),
    ROW(SEAL_LAYER, seal_layer),
    ROW(ABORT_INGEST, abort_ingest),
    ROW(OPEN_BLOB, open_blob),
    ROW(OPEN_SPOOL, open_spool),
    ROW(STAT_CONTENT, stat_content),
    ROW(LIST_CONTENT, list_content),
    ROW(DELETE_CONTENT, delete_content),
    {0},
};

static const struct bh_protocol protocol = {
    .name = "engine_store",
    .incoming = &bulkhead__engine_to_store__descriptor,
    .outgoing = &bulkhead__store_to_engine__descriptor,
    .handlers = handlers,
};

/* ---- life ------------------------------------------------------------------------------------------------------ */

static struct store store = {.layout = {.blobs = -1, .layers = -1, .partial = -1, .ingest = -1}};

static int init(struct bh_service_context *context, struct bh_error *error)
{
    struct bh_digest digest;
    store.context = context;
    context->state = &store;
    TAILQ_INIT(&store.ingests);
    (void)signal(SIGIO, SIG_IGN); /* somebody tried to write to a layer under our lease: the kernel holds it off */
    return bh_digest_of("", 0, &digest, error); /* libcrypto reads its configuration at its first use */
}

static void on_engine_gone(struct bh_channel *channel, void *owner)
{
    (void)channel;
    const struct bh_service_context *context = owner;
    ingest_end_all(context->state);
}

static int start(struct bh_service_context *context, struct bh_error *error)
{
    unsigned int n_removed = 0;
    bh_channel_on_close(bh_service_peer(context, BH_ROLE_ENGINE), on_engine_gone);
    if (layout_open("/", &store.layout, &n_removed, error) < 0) {
        return -1;
    }
    if (n_removed > 0) {
        bh_log_info("removed %u files that an interrupted run left behind", n_removed);
    }
    return 0;
}

static void stop(struct bh_service_context *context)
{
    (void)context;
    ingest_end_all(&store);
    layout_close(&store.layout);
}

static const struct bh_peer peers[] = {{.role = BH_ROLE_ENGINE, .protocol = &protocol}, {.role = BH_ROLE_NONE}};

const struct bh_service store_service = {
    .sandbox = &store_sandbox,
    .peers = peers,
    .init = init,
    .start = start,
    .stop = stop,
};
