/* SPDX-License-Identifier: Apache-2.0
 *
 * Streams of the api process on raw sockets: progress, uploads, attaching, logs. The tests are client and engine at
 * once.
 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/io.h"
#include "engine_double.h"
#include "engine_monitor.pb-c.h"

TestSuite(streams, .init = engine_double_start, .fini = engine_double_stop, .timeout = 60);

#define CLOSE "Host: docker\r\nConnection: close\r\n\r\n"

static void send_text(int fd, const char *text)
{
    cr_assert_eq(bh_write_all(fd, text, strlen(text), "api", NULL), 0);
}

/* Reads exactly n bytes. */
static void read_exactly(int fd, void *bytes, size_t n_bytes)
{
    size_t got = 0;
    struct bh_error error;
    cr_assert_eq(bh_read_full(fd, bytes, n_bytes, &got, "api", &error), 0);
    cr_assert_eq(got, n_bytes);
}

/* Reads a response's head, up to and with its empty line. */
static const char *read_head(int fd)
{
    static char head[4096];
    size_t n = 0;
    while (n < sizeof(head) - 1 && (n < 4 || memcmp(head + n - 4, "\r\n\r\n", 4) != 0)) {
        read_exactly(fd, head + n++, 1);
    }
    head[n] = '\0';
    return head;
}

/* ---- events ---- */

Test(streams, one_that_breaks_off_ends_its_connection)
{
    char rest[64];
    size_t n_rest = 0;
    struct bh_error error;
    bh_autoclose int fd = engine_double_connect();
    send_text(fd, "GET /events HTTP/1.1\r\nHost: docker\r\n\r\n");
    const char *head = read_head(fd);
    cr_assert_eq(http_status(head), 200);
    cr_assert(strstr(head, "Transfer-Encoding: chunked"));
    cr_assert_eq(bh_read_full(fd, rest, sizeof(rest), &n_rest, "api", &error), 0, "the end comes");
    cr_assert_eq(n_rest, 0, "and it is not said to be a good one");
}

/* ---- progress and uploads ---- */

Test(streams, pull_says_what_docker_says)
{
    const char *response =
        http_once("POST /images/create?fromImage=busybox&tag=latest&platform=linux/arm64/v8 HTTP/1.1\r\n"
                  "X-Registry-Auth: eyJ1c2VybmFtZSI6InUiLCJwYXNzd29yZCI6InAifQ==\r\n" CLOSE);
    cr_assert_eq(http_status(response), 200);
    cr_assert(strstr(response, "Transfer-Encoding: chunked"));
    cr_assert(strstr(response, "{\"status\":\"Pulling from library/busybox\",\"id\":\"latest\"}"));
    cr_assert(strstr(response,
                     "\"progressDetail\":{\"current\":1000000,\"total\":2000000},\"progress\":\""
                     "[=========================>                         ]      1MB/2MB\",\"id\":\"aaaaaaaaaaaa\"}"));
    cr_assert(strstr(response, "{\"status\":\"Digest: sha256:1111"));
    cr_assert(strstr(response, "\r\n0\r\n\r\n"));
    cr_assert_str_eq(engine.pulled->reference, "busybox:latest");
    cr_assert_str_eq(engine.pulled->platform->architecture, "arm64");
    cr_assert_str_eq(engine.pulled->platform->variant, "v8");
    cr_assert_str_eq(engine.pulled->credentials->password, "p");
}

Test(streams, a_pull_that_fails_at_once_has_a_status_and_one_that_fails_later_a_line)
{
    const char *response = http_once("POST /images/create?fromImage=denied HTTP/1.1\r\n" CLOSE);
    cr_assert_eq(http_status(response), 404);
    cr_assert(strstr(response, "{\"message\":\"pull access denied"));
    response = http_once("POST /images/create?fromImage=broken HTTP/1.1\r\n" CLOSE);
    cr_assert_eq(http_status(response), 200);
    cr_assert(strstr(response, "{\"errorDetail\":{\"message\":\"the layer's digest is wrong\"},"
                               "\"error\":\"the layer's digest is wrong\"}"));
    response = http_once("POST /images/create?fromImage=busybox&tag=sha256:" DOUBLE_ID_HEX " HTTP/1.1\r\n" CLOSE);
    cr_assert_eq(http_status(response), 200);
    cr_assert_str_eq(engine.asked, "busybox@sha256:" DOUBLE_ID_HEX);
    static const char *const bad[] = {"fromImage=UPPER", "fromImage=", "fromSrc=-", "fromImage=a&platform=a/b/c/d",
                                      "fromImage=../../etc"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char request[256];
        snprintf(request, sizeof(request), "POST /images/create?%s HTTP/1.1\r\n" CLOSE, bad[i]);
        cr_expect_geq(http_status(http_once(request)), 400, "%s", bad[i]);
    }
    cr_assert_geq(http_status(http_once("POST /images/create?fromImage=a HTTP/1.1\r\nX-Registry-Auth: ***\r\n" CLOSE)),
                  400);
}

Test(streams, a_client_that_goes_away_cancels_its_pull)
{
    int fd = engine_double_connect();
    send_text(fd, "POST /images/create?fromImage=hang HTTP/1.1\r\n" CLOSE);
    cr_assert_eq(http_status(read_head(fd)), 200);
    cr_assert_not(atomic_load(&engine.hanging_cancelled));
    close(fd);
    while (!atomic_load(&engine.hanging_cancelled)) {
        poll(NULL, 0, 1);
    }
    bh_request_unref(engine.hanging);
}

Test(streams, a_load_reaches_the_engine_byte_for_byte)
{
    enum { CHUNK = 65521, CHUNKS = 400 };
    static unsigned char chunk[CHUNK];
    unsigned long long sum = 0;
    int fd = engine_double_connect();
    send_text(fd, "POST /images/load?quiet=1 HTTP/1.1\r\nContent-Type: application/x-tar\r\n"
                  "Transfer-Encoding: chunked\r\n" CLOSE);
    for (unsigned i = 0; i < CHUNKS; i++) {
        char size[16];
        for (unsigned b = 0; b < CHUNK; b++) {
            chunk[b] = (unsigned char)(i * 31 + b);
            sum += chunk[b];
        }
        snprintf(size, sizeof(size), "%x\r\n", CHUNK);
        send_text(fd, size);
        cr_assert_eq(bh_write_all(fd, chunk, sizeof(chunk), "api", NULL), 0);
        send_text(fd, "\r\n");
    }
    const char *response = http_talk(fd, "0\r\n\r\n", 5);
    close(fd);
    cr_assert_eq(http_status(response), 200);
    cr_assert(strstr(response, "{\"stream\":\"Loaded image: busybox:latest\\n\"}"));
    cr_assert_eq(atomic_load(&engine.loaded_bytes), (unsigned long long)CHUNK * CHUNKS);
    cr_assert_eq(atomic_load(&engine.loaded_sum), sum);
}

/* ---- attach ---- */

static int attach(const char *parameters, const char *extra_fields, const char *early)
{
    char request[1024];
    int fd = engine_double_connect();
    snprintf(request, sizeof(request), "POST /containers/c1/attach?%s HTTP/1.1\r\nHost: d\r\n%s\r\n%s", parameters,
             extra_fields, early);
    send_text(fd, request);
    return fd;
}

#define UPGRADE "Connection: Upgrade\r\nUpgrade: tcp\r\nContent-Type: text/plain\r\nContent-Length: 0\r\n"

Test(streams, attach_frames_and_half_closes)
{
    unsigned char frame[8];
    char text[64];
    int fd = attach("stream=1&stdin=1&stdout=1&stderr=1", UPGRADE, "early ");
    const char *head = read_head(fd);
    cr_assert(strstr(head, "HTTP/1.1 101 UPGRADED\r\n"), "%s", head);
    cr_assert(strstr(head, "Content-Type: application/vnd.docker.multiplexed-stream\r\n"));
    cr_assert(strstr(head, "Connection: Upgrade\r\nUpgrade: tcp\r\n"));
    send_text(fd, "late\n");
    shutdown(fd, SHUT_WR);
    char got[16] = "";
    size_t n = 0;
    ssize_t r;
    while ((r = read(engine.streams[0], got + n, sizeof(got) - 1 - n)) > 0) {
        n += (size_t)r;
    }
    cr_assert_str_eq(got, "early late\n");
    cr_assert_eq(r, 0, "the client's half-close is the end of stdin");
    send_text(engine.streams[2], "oops");
    read_exactly(fd, frame, 8);
    cr_assert_arr_eq(frame, "\2\0\0\0\0\0\0\4", 8);
    read_exactly(fd, text, 4);
    cr_assert_arr_eq(text, "oops", 4);
    send_text(engine.streams[1], "out");
    read_exactly(fd, frame, 8);
    cr_assert_arr_eq(frame, "\1\0\0\0\0\0\0\3", 8);
    read_exactly(fd, text, 3);
    close(engine.streams[1]);
    close(engine.streams[2]);
    cr_assert_eq(read(fd, text, 1), 0, "the end of both outputs is the end of the connection");
    close(fd);
}

/* Clients that read ahead would lose what they read so. */
Test(streams, a_head_comes_alone_however_much_has_been_said)
{
    char text[4096] = "";
    engine.says = "output";
    int fd = attach("stream=1&stdout=1", UPGRADE, "");
    usleep(50000);
    ssize_t n = read(fd, text, sizeof(text) - 1);
    cr_assert_gt(n, 4);
    cr_assert_str_eq(text + n - 4, "\r\n\r\n");
    read_exactly(fd, text, 8 + strlen("output"));
    cr_assert_arr_eq(text, "\1\0\0\0\0\0\0\6output", 14);
    close(fd);
}

/* Nor does it wait for ever for a client that is busy with other things. */
Test(streams, a_head_that_nobody_takes_holds_nothing_up)
{
    int fd = attach("stream=1&stdin=1&stdout=1", UPGRADE, "");
    send_text(fd, "in");
    shutdown(fd, SHUT_WR);
    char got[4] = "";
    for (int i = 0; i < 1000 && engine.streams[0] < 0; i++) {
        usleep(1000);
    }
    read_exactly(engine.streams[0], got, 2);
    cr_assert_str_eq(got, "in");
    close(fd);
}

Test(streams, attach_without_an_upgrade_gets_200)
{
    char text[8];
    int fd = attach("stream=1&stdout=1", "Connection: close\r\n", "");
    const char *head = read_head(fd);
    cr_assert(strstr(head, "HTTP/1.1 200 OK\r\n"), "%s", head);
    cr_assert_not(strstr(head, "chunked"));
    send_text(engine.streams[1], "x");
    read_exactly(fd, text, 8);
    close(fd);
}

Test(streams, an_upgrade_need_not_be_said_twice)
{
    int fd = attach("stream=1&stdout=1", "Upgrade: tcp\r\n", "");
    const char *head = read_head(fd);
    cr_expect(strstr(head, "HTTP/1.1 101 UPGRADED\r\n"), "%s", head);
    cr_expect(strstr(head, "Connection: Upgrade\r\nUpgrade: tcp\r\n"), "%s", head);
    close(fd);
}

Test(streams, a_terminal_is_raw_and_its_keys_detach)
{
    char text[64] = "";
    engine.tty = true;
    int fd = attach("stream=1&stdin=1&stdout=1&detachKeys=ctrl-a,b", UPGRADE, "");
    const char *head = read_head(fd);
    cr_assert(strstr(head, "application/vnd.docker.raw-stream"), "%s", head);
    send_text(engine.streams[1], "prompt");
    read_exactly(fd, text, 6);
    cr_assert_arr_eq(text, "prompt", 6);
    send_text(fd, "x\001y\001b");
    cr_assert_eq(read(fd, text, 1), 0, "the keys end the connection");
    char got[16] = "";
    size_t n = 0;
    ssize_t r;
    while ((r = read(engine.streams[0], got + n, sizeof(got) - 1 - n)) > 0) {
        n += (size_t)r;
    }
    cr_assert_str_eq(got, "x\001y");
    close(fd);
}

Test(streams, attach_refuses_bad_keys_and_absent_names)
{
    int fd = attach("stream=1&detachKeys=ctrl-!!", UPGRADE, "");
    cr_assert_eq(http_status(read_head(fd)), 400);
    close(fd);
}

/* Nobody reads one side for a while: the other goes on, and nothing is lost. */
Test(streams, a_side_that_does_not_read_stops_only_itself)
{
    enum { TOTAL = 8 * 1024 * 1024 };
    static char bytes[65536];
    size_t in = 0, out = 0, written = 0;
    engine.tty = true;
    int fd = attach("stream=1&stdin=1&stdout=1&detachKeys=ctrl-@,ctrl-@", UPGRADE, "");
    read_head(fd);
    memset(bytes, 'z', sizeof(bytes));
    fcntl(fd, F_SETFL, O_NONBLOCK);
    fcntl(engine.streams[0], F_SETFL, O_NONBLOCK);
    fcntl(engine.streams[1], F_SETFL, O_NONBLOCK);
    size_t produced = 0;
    while (in < TOTAL || out < TOTAL) {
        struct pollfd wait[3] = {
            {.fd = fd, .events = POLLIN | (written < TOTAL ? POLLOUT : 0)},
            {.fd = engine.streams[0], .events = out == TOTAL ? POLLIN : 0}, /* stdin only afterwards */
            {.fd = engine.streams[1], .events = produced < TOTAL ? POLLOUT : 0}};
        cr_assert_gt(poll(wait, 3, 20000), 0, "stuck at in %zu out %zu", in, out);
        if (wait[0].revents & POLLIN) {
            ssize_t n = read(fd, bytes, sizeof(bytes));
            cr_assert_gt(n, 0);
            out += (size_t)n;
        }
        if (wait[0].revents & POLLOUT) {
            ssize_t n = write(fd, bytes, TOTAL - written < sizeof(bytes) ? TOTAL - written : sizeof(bytes));
            written += n > 0 ? (size_t)n : 0;
        }
        if (wait[1].revents & POLLIN) {
            ssize_t n = read(engine.streams[0], bytes, sizeof(bytes));
            in += n > 0 ? (size_t)n : 0;
        }
        if (wait[2].revents & POLLOUT) {
            ssize_t n =
                write(engine.streams[1], bytes, TOTAL - produced < sizeof(bytes) ? TOTAL - produced : sizeof(bytes));
            produced += n > 0 ? (size_t)n : 0;
        }
    }
    cr_assert_eq(in, TOTAL);
    cr_assert_eq(out, TOTAL);
    close(fd);
}

/* ---- wait ---- */

Test(streams, wait_answers_its_head_first)
{
    char rest[256];
    int fd = engine_double_connect();
    send_text(fd, "POST /v1.47/containers/c1/wait?condition=next-exit HTTP/1.1\r\n" CLOSE);
    cr_assert_eq(http_status(read_head(fd)), 200);
    engine.exit_code = 42;
    engine_double_exit_container();
    ssize_t n = read(fd, rest, sizeof(rest) - 1);
    cr_assert_gt(n, 0);
    rest[n] = '\0';
    cr_assert(strstr(rest, "{\"StatusCode\":42}"), "%s", rest);
    close(fd);
    cr_assert_eq(http_status(http_once("POST /containers/c1/wait?condition=never HTTP/1.1\r\n" CLOSE)), 400);
}

/* ---- logs ---- */

static void append_log(const char *name, const char *text)
{
    int fd = openat(engine.log_folder, name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    cr_assert_geq(fd, 0);
    send_text(fd, text);
    close(fd);
}

#define LINE(text, stream, second)                                                                                     \
    "{\"log\":\"" text "\\n\",\"stream\":\"" stream "\",\"time\":\"2024-01-01T00:00:0" second ".5Z\"}\n"

Test(streams, logs_tail_since_until_and_timestamps)
{
    static const struct {
        const char *parameters;
        const char *has, *has_not;
    } cases[] = {
        {"stdout=1", "one", "two"},
        {"stderr=1", "two", "one"},
        {"stdout=1&stderr=1&tail=2", "four", "two"},
        {"stdout=1&stderr=1&tail=4", "two", "one"},
        {"stdout=1&stderr=1&tail=100", "one", "nothing"},
        {"stdout=1&stderr=1&tail=0", "", "four"},
        {"stdout=1&stderr=1&tail=all", "one", "nothing"},
        {"stdout=1&stderr=1&since=1704067203", "three", "two"},
        {"stdout=1&stderr=1&until=1704067202.9", "two", "three"},
        {"stdout=1&timestamps=1", "2024-01-01T00:00:01.500000000Z one", "two"},
    };
    append_log("container.log.1", LINE("one", "stdout", "1") LINE("two", "stderr", "2"));
    append_log("container.log", LINE("three", "stdout", "3") "garbage\n" LINE("four", "stdout", "4") "{\"log\":\"torn");
    engine.log_files = 2;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char request[256];
        snprintf(request, sizeof(request), "GET /containers/c1/logs?%s HTTP/1.1\r\n" CLOSE, cases[i].parameters);
        engine.tty = true; /* raw, so that text can be compared */
        const char *response = http_once(request);
        const char *body = strstr(response, "\r\n\r\n");
        cr_assert_eq(http_status(response), 200, "%s", response);
        cr_expect(strstr(body, cases[i].has), "%s: %s", cases[i].parameters, body);
        cr_expect_not(strstr(body, cases[i].has_not), "%s: %s", cases[i].parameters, body);
        cr_expect_not(strstr(body, "torn"));
        cr_expect_not(strstr(body, "garbage"));
    }
    cr_assert_eq(http_status(http_once("GET /containers/c1/logs HTTP/1.1\r\n" CLOSE)), 400);
    cr_assert_eq(http_status(http_once("GET /containers/c1/logs?stdout=1&since=yesterday HTTP/1.1\r\n" CLOSE)), 400);
}

/* The monitor's side of FollowLog. */
static struct bh_request *following;

static void follow_log(struct bh_request *request)
{
    following = bh_request_ref(request);
}

static const struct bh_handler monitor_handlers[] = {
    {BULKHEAD__ENGINE_TO_MONITOR__BODY_FOLLOW_LOG, "FOLLOW_LOG", ~0u, 0, 0, follow_log},
    {0},
};
static const struct bh_protocol monitor_protocol = {
    .name = "engine_monitor",
    .incoming = &bulkhead__engine_to_monitor__descriptor,
    .outgoing = &bulkhead__monitor_to_engine__descriptor,
    .handlers = monitor_handlers,
};

static void log_grew(uint64_t rotations)
{
    Bulkhead__LogGrew grew = BULKHEAD__LOG_GREW__INIT;
    grew.rotations = rotations;
    Bulkhead__MonitorToEngine packet = BULKHEAD__MONITOR_TO_ENGINE__INIT;
    packet.body_case = BULKHEAD__MONITOR_TO_ENGINE__BODY_LOG_GREW;
    packet.log_grew = &grew;
    bh_request_progress(following, &packet.base, NULL, 0);
}

static void read_until(int fd, const char *text)
{
    static char bytes[8192];
    size_t n = 0;
    memset(bytes, 0, sizeof(bytes));
    while (!strstr(bytes, text)) {
        ssize_t r = read(fd, bytes + n, sizeof(bytes) - 1 - n);
        cr_assert_gt(r, 0, "waited for %s, got %s", text, bytes);
        n += (size_t)r;
    }
}

Test(streams, logs_follow_over_a_rotation)
{
    struct bh_error error;
    struct bh_channel *monitor;
    append_log("container.log", LINE("one", "stdout", "1"));
    engine.log_files = 2;
    engine.tty = true;
    int fd = engine_double_connect();
    send_text(fd, "GET /containers/c1/logs?stdout=1&follow=1 HTTP/1.1\r\n" CLOSE);
    read_until(fd, "one");
    cr_assert_eq(bh_channel_new(&monitor_protocol, NULL, &monitor, &error), 0);
    cr_assert_eq(bh_channel_wire(monitor, engine.monitor, &error), 0);
    cr_assert_eq(bh_channel_poll(monitor, 10000, &error), 1);
    append_log("container.log", LINE("two", "stdout", "2"));
    log_grew(0);
    read_until(fd, "two");
    append_log("container.log", LINE("three", "stdout", "3"));
    renameat(engine.log_folder, "container.log", engine.log_folder, "container.log.1");
    append_log("container.log", LINE("four", "stdout", "4"));
    log_grew(1);
    read_until(fd, "four"); /* and "three" before it: one word is enough for both files */
    append_log("container.log", LINE("five", "stdout", "5"));
    Bulkhead__Done done = BULKHEAD__DONE__INIT;
    Bulkhead__MonitorToEngine packet = BULKHEAD__MONITOR_TO_ENGINE__INIT;
    packet.body_case = BULKHEAD__MONITOR_TO_ENGINE__BODY_DONE;
    packet.done = &done;
    bh_request_reply(following, &packet.base, NULL, 0);
    read_until(fd, "five");
    char end[16];
    while (read(fd, end, sizeof(end)) > 0) {
    }
    bh_request_unref(following);
    bh_channel_free(monitor);
    close(fd);
}

/* The container may end between its log's opening and the question to its monitor: that is an end as any other. */
Test(streams, a_monitor_that_has_ended_ends_a_log_that_is_whole)
{
    append_log("container.log", LINE("all of it", "stdout", "1"));
    engine.log_files = 1;
    engine.monitor_ended = true;
    const char *response = http_once("GET /containers/c1/logs?stdout=1&follow=1 HTTP/1.1\r\n" CLOSE);
    cr_assert_eq(http_status(response), 200);
    const char *text = memmem(response, 4096, "all of it", 9);
    cr_assert_not_null(text);
    cr_assert_not_null(memmem(text, 64, "\r\n0\r\n\r\n", 7), "the last chunk is there");
}
