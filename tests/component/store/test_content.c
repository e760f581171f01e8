/* SPDX-License-Identifier: Apache-2.0
 *
 * What is stored can be listed, asked for and deleted, whoever else is slow.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client.h"
#include "common/cleanup.h"
#include "common/limits.h"

static struct client client;

static void set_up(void)
{
    memset(&client, 0, sizeof(client));
    client_start(&client);
}

static void tear_down(void)
{
    client_stop(&client);
}

/* Puts `count` small files where blobs lie, under names of their own. */
static void plant_blobs(size_t count)
{
    bh_autoclose int root = harness_folder(&client.harness, BH_FOLDER_STATE);
    bh_autoclose int blobs = openat(root, "blobs", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (size_t i = 0; i < count; i++) {
        char name[BH_DIGEST_HEX_SIZE];
        (void)snprintf(name, sizeof(name), "%064zx", i);
        bh_autoclose int fd = openat(blobs, name, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
        cr_assert(ge(int, fd, 0));
    }
}

TestSuite(store_content, .init = set_up, .fini = tear_down, .timeout = 60);

Test(store_content, comes_and_goes)
{
    struct bh_digest first, second, diff_id;
    Bulkhead__ContentStat stat;
    size_t n = 99;
    cr_assert(eq(int, client_list(&client, &n), BH_OK));
    cr_assert(eq(sz, n, 0));
    cr_assert(eq(int, client_store_blob(&client, "one", 3, &first), BH_OK));
    cr_assert(eq(int, client_store_blob(&client, "second", 6, &second), BH_OK));
    cr_assert(eq(int, client_list(&client, &n), BH_OK));
    cr_assert(eq(sz, n, 2));
    cr_assert(eq(int, client_stat(&client, &second, &stat, &diff_id), BH_OK));
    cr_assert(stat.blob && !stat.layer);
    cr_assert(eq(u64, stat.blob_bytes, 6));
    cr_assert(eq(int, client_delete(&client, &second), BH_OK));
    cr_assert(eq(int, client_delete(&client, &second), BH_OK), "what is absent is no error");
    cr_assert(eq(int, client_stat(&client, &second, &stat, &diff_id), BH_OK));
    cr_assert(not(stat.blob));
    cr_assert(eq(int, client_list(&client, &n), BH_OK));
    cr_assert(eq(sz, n, 1));
}

Test(store_content, is_listed_whole_when_there_is_much)
{
    size_t n = 0;
    plant_blobs(3 * BH_CHANNEL_QUEUE_MAX);
    cr_assert(eq(int, client_list(&client, &n), BH_OK));
    cr_assert(eq(sz, n, 3 * BH_CHANNEL_QUEUE_MAX));
}

Test(store_content, survives_an_engine_that_never_reads)
{
    Bulkhead__ListContent message = BULKHEAD__LIST_CONTENT__INIT;
    Bulkhead__EngineToStore packet = BULKHEAD__ENGINE_TO_STORE__INIT;
    struct bh_call *calls[40];
    struct bh_digest stored;
    struct bh_error error;
    size_t n = 0;
    packet.body_case = BULKHEAD__ENGINE_TO_STORE__BODY_LIST_CONTENT;
    packet.list_content = &message;
    plant_blobs(BH_CHANNEL_QUEUE_MAX);
    for (size_t i = 0; i < 40; i++) {
        cr_assert(bh_call_start(client.channel, &packet.base, NULL, 0, 60000, &calls[i], &error) == 0);
    }
    client_rewire(&client); /* a new engine is served as if nothing had been */
    for (size_t i = 0; i < 40; i++) {
        bh_call_free(calls[i]);
    }
    cr_assert(eq(int, client_store_blob(&client, "honest", 6, &stored), BH_OK));
    cr_assert(eq(int, client_list(&client, &n), BH_OK));
    cr_assert(eq(sz, n, BH_CHANNEL_QUEUE_MAX + 1));
}

Test(store_content, refuses_what_is_no_digest)
{
    struct bh_message *answer = NULL;
    Bulkhead__OpenBlob message = BULKHEAD__OPEN_BLOB__INIT;
    Bulkhead__EngineToStore packet = BULKHEAD__ENGINE_TO_STORE__INIT;
    uint8_t path[] = "../../../../etc/passwd";
    message.digest.data = path;
    message.digest.len = sizeof(path) - 1;
    packet.body_case = BULKHEAD__ENGINE_TO_STORE__BODY_OPEN_BLOB;
    packet.open_blob = &message;
    cr_assert(bh_call(client.channel, &packet.base, NULL, 0, 0, BULKHEAD__STORE_TO_ENGINE__BODY_CONTENT_OPENED, &answer,
                      &client.error) < 0);
    cr_assert(eq(int, client.error.code, BH_INVALID_ARGUMENT));
}

Test(store_content, refuses_descriptors_nobody_asked_for)
{
    struct bh_message *answer = NULL;
    Bulkhead__ListContent message = BULKHEAD__LIST_CONTENT__INIT;
    Bulkhead__EngineToStore packet = BULKHEAD__ENGINE_TO_STORE__INIT;
    const int fd = STDERR_FILENO;
    packet.body_case = BULKHEAD__ENGINE_TO_STORE__BODY_LIST_CONTENT;
    packet.list_content = &message;
    cr_assert(bh_call(client.channel, &packet.base, &fd, 1, 0, BULKHEAD__STORE_TO_ENGINE__BODY_DONE, &answer,
                      &client.error) < 0);
    cr_assert(eq(int, client.error.code, BH_INVALID_ARGUMENT));
}
