/* SPDX-License-Identifier: Apache-2.0
 *
 * Channels from both ends: a server thread with a DIRECT channel, and callers in DIRECT and LOOP mode.
 */
#include <criterion/criterion.h>
#include <event2/event.h>
#include <event2/thread.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/channel.h"
#include "common/io.h"
#include "engine_store.pb-c.h"

#define BODY(kind)   BULKHEAD__ENGINE_TO_STORE__BODY_##kind
#define ANSWER(kind) BULKHEAD__STORE_TO_ENGINE__BODY_##kind

/* OpenBlob: answers with a descriptor. */
static void serve_open(struct bh_request *request)
{
    Bulkhead__ContentOpened body = BULKHEAD__CONTENT_OPENED__INIT;
    Bulkhead__StoreToEngine packet = BULKHEAD__STORE_TO_ENGINE__INIT;
    bh_autoclose int fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
    body.size_bytes = 42;
    packet.body_case = ANSWER(CONTENT_OPENED);
    packet.content_opened = &body;
    (void)bh_request_reply(request, &packet.base, &fd, 1);
}

/* ListContent: three entries, then Done. */
static void serve_list(struct bh_request *request)
{
    static uint8_t digest[32];
    for (uint64_t i = 0; i < 3; i++) {
        Bulkhead__ContentEntry body = BULKHEAD__CONTENT_ENTRY__INIT;
        Bulkhead__StoreToEngine packet = BULKHEAD__STORE_TO_ENGINE__INIT;
        body.digest = (ProtobufCBinaryData){.data = digest, .len = 32};
        body.bytes = i;
        packet.body_case = ANSWER(CONTENT_ENTRY);
        packet.content_entry = &body;
        (void)bh_request_progress(request, &packet.base, NULL, 0);
    }
    Bulkhead__Done done = BULKHEAD__DONE__INIT;
    Bulkhead__StoreToEngine packet = BULKHEAD__STORE_TO_ENGINE__INIT;
    packet.body_case = ANSWER(DONE);
    packet.done = &done;
    (void)bh_request_reply(request, &packet.base, NULL, 0);
}

/* StatContent: echoes a body of the size asked for, through a memfd if need be. */
static void serve_stat(struct bh_request *request)
{
    static uint8_t large[1024 * 1024];
    Bulkhead__ContentStat body = BULKHEAD__CONTENT_STAT__INIT;
    Bulkhead__StoreToEngine packet = BULKHEAD__STORE_TO_ENGINE__INIT;
    body.diff_id = (ProtobufCBinaryData){.data = large, .len = sizeof(large)};
    packet.body_case = ANSWER(CONTENT_STAT);
    packet.content_stat = &body;
    (void)bh_request_reply(request, &packet.base, NULL, 0);
}

/* DeleteContent: drops the request without an answer. */
static void serve_nothing(struct bh_request *request)
{
    (void)request;
}

static const struct bh_handler handlers[] = {
    {BODY(OPEN_BLOB), "OpenBlob", ~0u, 0, 0, serve_open},
    {BODY(LIST_CONTENT), "ListContent", ~0u, 0, 0, serve_list},
    {BODY(STAT_CONTENT), "StatContent", ~0u, 0, 0, serve_stat},
    {BODY(DELETE_CONTENT), "DeleteContent", ~0u, 0, 0, serve_nothing},
    {BODY(OPEN_SPOOL), "OpenSpool", 2u, 0, 0, serve_open},
    {0},
};

static const struct bh_protocol server_side = {"engine_store", &bulkhead__engine_to_store__descriptor,
                                               &bulkhead__store_to_engine__descriptor, handlers};
static const struct bh_protocol caller_side = {"engine_store", &bulkhead__store_to_engine__descriptor,
                                               &bulkhead__engine_to_store__descriptor, NULL};

static void *serve(void *argument)
{
    struct bh_error error;
    (void)bh_channel_serve(argument, &error);
    return NULL;
}

struct pair {
    struct bh_channel *server, *caller;
    pthread_t thread;
};

static void start_pair(struct pair *pair, struct event_base *base)
{
    int ends[2];
    struct bh_error error;
    cr_assert_eq(bh_channel_pair(ends, &error), 0);
    cr_assert_eq(bh_channel_new(&server_side, NULL, &pair->server, &error), 0);
    cr_assert_eq(bh_channel_wire(pair->server, ends[0], &error), 0);
    cr_assert_eq(base ? bh_channel_new_on_loop(&caller_side, base, NULL, &pair->caller, &error)
                      : bh_channel_new(&caller_side, NULL, &pair->caller, &error),
                 0);
    cr_assert_eq(bh_channel_wire(pair->caller, ends[1], &error), 0);
    cr_assert_eq(pthread_create(&pair->thread, NULL, serve, pair->server), 0);
}

static void stop_pair(struct pair *pair)
{
    bh_channel_free(pair->caller);
    (void)pthread_join(pair->thread, NULL);
    bh_channel_free(pair->server);
}

static Bulkhead__EngineToStore request_of(int kind)
{
    static Bulkhead__OpenBlob open_blob;
    static Bulkhead__ListContent list;
    static Bulkhead__StatContent stat;
    static Bulkhead__DeleteContent delete;
    static Bulkhead__OpenSpool open_spool;
    static Bulkhead__SealLayer seal;
    bulkhead__open_blob__init(&open_blob);
    bulkhead__list_content__init(&list);
    bulkhead__stat_content__init(&stat);
    bulkhead__delete_content__init(&delete);
    bulkhead__open_spool__init(&open_spool);
    bulkhead__seal_layer__init(&seal);
    Bulkhead__EngineToStore packet = BULKHEAD__ENGINE_TO_STORE__INIT;
    packet.body_case = (Bulkhead__EngineToStore__BodyCase)kind;
    switch (kind) {
    case BODY(OPEN_BLOB):
        packet.open_blob = &open_blob;
        break;
    case BODY(LIST_CONTENT):
        packet.list_content = &list;
        break;
    case BODY(STAT_CONTENT):
        packet.stat_content = &stat;
        break;
    case BODY(DELETE_CONTENT):
        packet.delete_content = &delete;
        break;
    case BODY(OPEN_SPOOL):
        packet.open_spool = &open_spool;
        break;
    default:
        packet.seal_layer = &seal;
        break;
    }
    return packet;
}

static void exchange_everything(struct bh_channel *caller)
{
    struct bh_error error;
    Bulkhead__EngineToStore packet = request_of(BODY(OPEN_BLOB));
    {
        bh_automessage struct bh_message *answer = NULL;
        cr_assert_eq(bh_call(caller, &packet.base, NULL, 0, 0, ANSWER(CONTENT_OPENED), &answer, &error), 0, "%s",
                     error.message);
        bh_autoclose int fd = bh_message_take_fd(answer, 0);
        char byte = 1;
        cr_assert_eq(read(fd, &byte, 1), 1);
        cr_assert_eq(byte, 0);
    }
    {
        packet = request_of(BODY(LIST_CONTENT));
        bh_autocall struct bh_call *call = NULL;
        cr_assert_eq(bh_call_start(caller, &packet.base, NULL, 0, 0, &call, &error), 0);
        for (int i = 0; i < 4; i++) {
            bh_automessage struct bh_message *answer = NULL;
            cr_assert_eq(bh_call_next(call, &answer, &error), 0);
            cr_assert_eq(answer->more, i < 3);
        }
    }
    {
        packet = request_of(BODY(STAT_CONTENT));
        bh_automessage struct bh_message *answer = NULL;
        cr_assert_eq(bh_call(caller, &packet.base, NULL, 0, 0, ANSWER(CONTENT_STAT), &answer, &error), 0, "%s",
                     error.message);
        const Bulkhead__ContentStat *body = bh_message_body(answer);
        cr_assert_eq(body->diff_id.len, 1024u * 1024u, "a large body came through a memfd");
        cr_assert_eq(answer->n_fds, 0u);
    }
    static const struct {
        int kind;
        enum bh_code code;
    } refused[] = {
        {BODY(DELETE_CONTENT), BH_INTERNAL},        /* dropped by its handler */
        {BODY(OPEN_SPOOL), BH_FAILED_PRECONDITION}, /* wrong state */
        {BODY(SEAL_LAYER), BH_UNIMPLEMENTED},       /* not in the table */
    };
    for (size_t i = 0; i < 3; i++) {
        packet = request_of(refused[i].kind);
        cr_assert_eq(bh_call(caller, &packet.base, NULL, 0, 0, ANSWER(DONE), NULL, &error), -1);
        cr_assert_eq(error.code, refused[i].code, "%s", error.message);
    }
    packet = request_of(BODY(OPEN_BLOB));
    int unwanted = STDIN_FILENO;
    cr_assert_eq(bh_call(caller, &packet.base, &unwanted, 1, 0, ANSWER(CONTENT_OPENED), NULL, &error), -1);
    cr_assert_eq(error.code, BH_INVALID_ARGUMENT, "a descriptor nobody asked for");
}

Test(channel, direct_calls, .timeout = 20)
{
    struct pair pair;
    start_pair(&pair, NULL);
    exchange_everything(pair.caller);
    stop_pair(&pair);
}

static void *exchange_in_thread(void *argument)
{
    for (int i = 0; i < 20; i++) {
        exchange_everything(argument);
    }
    return NULL;
}

static void *run_loop(void *base)
{
    (void)event_base_loop(base, EVLOOP_NO_EXIT_ON_EMPTY);
    return NULL;
}

Test(channel, loop_calls_from_many_threads, .timeout = 30)
{
    struct pair pair;
    pthread_t loop, threads[4];
    (void)evthread_use_pthreads();
    struct event_base *base = event_base_new();
    start_pair(&pair, base);
    (void)pthread_create(&loop, NULL, run_loop, base);
    for (int i = 0; i < 4; i++) {
        (void)pthread_create(&threads[i], NULL, exchange_in_thread, pair.caller);
    }
    for (int i = 0; i < 4; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    (void)event_base_loopbreak(base);
    (void)pthread_join(loop, NULL);
    stop_pair(&pair);
    event_base_free(base);
}

Test(channel, a_dead_peer_is_unavailable, .timeout = 20)
{
    int ends[2];
    struct bh_error error;
    struct bh_channel *caller = NULL;
    cr_assert_eq(bh_channel_pair(ends, &error), 0);
    cr_assert_eq(bh_channel_new(&caller_side, NULL, &caller, &error), 0);
    Bulkhead__EngineToStore packet = request_of(BODY(OPEN_BLOB));
    cr_assert_eq(bh_call(caller, &packet.base, NULL, 0, 0, ANSWER(CONTENT_OPENED), NULL, &error), -1);
    cr_assert_eq(error.code, BH_UNAVAILABLE, "not wired yet");
    cr_assert_eq(bh_channel_wire(caller, ends[1], &error), 0);
    bh_autocall struct bh_call *call = NULL;
    cr_assert_eq(bh_call_start(caller, &packet.base, NULL, 0, 0, &call, &error), 0);
    bh_close(&ends[0]);
    bh_automessage struct bh_message *answer = NULL;
    cr_assert_eq(bh_call_next(call, &answer, &error), -1);
    cr_assert_eq(error.code, BH_UNAVAILABLE, "%s", error.message);
    bh_channel_free(caller);
}

Test(channel, deadlines_are_kept, .timeout = 20)
{
    int ends[2];
    struct bh_error error;
    struct bh_channel *caller = NULL;
    cr_assert_eq(bh_channel_pair(ends, &error), 0);
    cr_assert_eq(bh_channel_new(&caller_side, NULL, &caller, &error), 0);
    cr_assert_eq(bh_channel_wire(caller, ends[1], &error), 0);
    Bulkhead__EngineToStore packet = request_of(BODY(OPEN_BLOB));
    uint64_t before = bh_now_ms();
    cr_assert_eq(bh_call(caller, &packet.base, NULL, 0, 50, ANSWER(CONTENT_OPENED), NULL, &error), -1);
    cr_assert_eq(error.code, BH_DEADLINE_EXCEEDED);
    cr_assert_geq(bh_now_ms() - before, 50u);
    bh_channel_free(caller);
    bh_close(&ends[0]);
}

Test(channel, garbage_ends_the_channel_not_the_process, .timeout = 20)
{
    static const char *const garbage[] = {"", "x", "\x0a\x02\x08\x01", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"};
    for (size_t i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++) {
        int ends[2];
        struct bh_error error;
        struct bh_channel *server = NULL;
        cr_assert_eq(bh_channel_pair(ends, &error), 0);
        cr_assert_eq(bh_channel_new(&server_side, NULL, &server, &error), 0);
        cr_assert_eq(bh_channel_wire(server, ends[0], &error), 0);
        cr_assert_geq(send(ends[1], garbage[i], strlen(garbage[i]), 0), 0);
        int served = bh_channel_poll(server, 1000, &error);
        cr_assert(served == -1 || served == 2, "case %zu", i);
        cr_assert_not(bh_channel_is_wired(server));
        bh_channel_free(server);
        bh_close(&ends[1]);
    }
}
