/* SPDX-License-Identifier: Apache-2.0
 *
 * Live containers: clients that wait for a start, and who may keep how many.
 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <unistd.h>

#include "services/engine/live.h"

static struct live_table *table;
static const uint8_t id[32] = {1};

static void begin(void)
{
    struct bh_error error = {0};
    cr_assert_eq(live_new(&table, &error), 0);
}

static void end(void)
{
    live_free(table);
}

TestSuite(live, .init = begin, .fini = end);

/* A client's three streams; its own ends in `client`. */
static void make_client(int streams[static 3], int client[static 3])
{
    for (int i = 0; i < 3; i++) {
        int ends[2];
        cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
        streams[i] = ends[i > 0];
        client[i] = ends[i == 0];
    }
}

static void close_client(int client[static 3])
{
    for (int i = 0; i < 3; i++) {
        bh_close(&client[i]);
    }
}

Test(live, clients_wait_for_the_start)
{
    struct bh_error error = {0};
    int streams[3], client[3], taken[BH_ATTACHMENTS_MAX * LIVE_STREAMS];
    struct live *live = live_get(table, id, &error);
    make_client(streams, client);
    cr_assert_eq(live_keep_streams(live, streams, &error), 0);
    live_put(live);
    live = live_get(table, id, &error); /* the entry stayed while the client waits */
    cr_assert_eq(live_take_streams(live, taken), 1);
    cr_assert_eq(taken[1], streams[1]);
    cr_assert_eq(live_take_streams(live, taken), 0);
    close_client(client);
    close_client(streams);
    live_put(live);
}

Test(live, clients_that_left_make_room)
{
    struct bh_error error = {0};
    int streams[3], client[3], others[BH_ATTACHMENTS_MAX][3];
    struct live *live = live_get(table, id, &error);
    for (int i = 0; i < BH_ATTACHMENTS_MAX; i++) {
        make_client(streams, others[i]);
        cr_assert_eq(live_keep_streams(live, streams, &error), 0);
    }
    make_client(streams, client);
    cr_assert_eq(live_keep_streams(live, streams, &error), -1);
    cr_assert_eq(error.code, BH_RESOURCE_EXHAUSTED);
    cr_assert_eq(fcntl(streams[0], F_GETFD), -1, "what is refused is closed");
    close_client(client);
    close_client(others[2]);
    make_client(streams, client);
    cr_assert_eq(live_keep_streams(live, streams, &error), 0);
    close_client(client);
    for (int i = 0; i < BH_ATTACHMENTS_MAX; i++) {
        close_client(others[i]);
    }
    live_put(live);
}

Test(live, what_runs_keeps_no_clients)
{
    struct bh_error error = {0};
    int streams[3], client[3];
    struct live *live = live_get(table, id, &error);
    live_set_running(live, true);
    cr_assert(live_is_running(live));
    make_client(streams, client);
    cr_assert_eq(live_keep_streams(live, streams, &error), -1);
    cr_assert_eq(error.code, BH_FAILED_PRECONDITION);
    cr_assert_null(live_borrow_monitor(live));
    live_set_running(live, false);
    close_client(client);
    live_put(live);
}
