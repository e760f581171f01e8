/* SPDX-License-Identifier: Apache-2.0
 *
 * Promise 5: whatever moment the store is killed at, or the disk is full, nothing half-made is ever visible.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client.h"
#include "common/cleanup.h"
#include "image_builder.h"

#define SIZE (2 * 1024 * 1024)

static const struct bh_digest diff_id = {{7}};

Test(store_crash, leaves_nothing_half_made_and_resumes, .timeout = 60)
{
    struct client client = {.channel = NULL};
    bh_autofree uint8_t *bytes = make_bytes(SIZE, 5);
    struct bh_digest digest = digest_of(bytes, SIZE);
    struct bh_digest stored;
    uint64_t n_bytes = 0;
    client_start(&client);
    cr_assert(eq(int, client_store_blob(&client, "whole", 5, &stored), BH_OK));

    Bulkhead__BeginBlob known = client_blob(&digest, SIZE, true);
    Bulkhead__BeginBlob unknown = client_blob(NULL, SIZE, true);
    struct ingesting first, second, layer;
    uint8_t copy[1000];
    cr_assert(eq(int, client_begin_blob(&client, &known, &first), BH_OK));
    cr_assert(eq(int, client_begin_blob(&client, &unknown, &second), BH_OK));
    cr_assert(eq(int, client_begin_layer(&client, &stored, &layer), BH_OK));
    cr_assert(write(first.fds[0], bytes, 1000) == 1000);
    cr_assert(write(second.fds[0], bytes, 1000) == 1000);
    cr_assert(read(first.fds[1], copy, 1000) == 1000); /* the tee comes after the file */
    cr_assert(read(second.fds[1], copy, 1000) == 1000);
    client_kill(&client);
    bh_call_free(first.call);
    bh_call_free(second.call);
    cr_assert(read(first.fds[1], copy, 1) == 0, "no worker outlives the store");
    cr_assert(read(second.fds[1], copy, 1) == 0);
    for (int i = 0; i < 2; i++) {
        bh_close(&first.fds[i]);
        bh_close(&second.fds[i]);
    }
    bh_close(&layer.fds[0]);
    client_await_partial(&client, &digest);

    client_start(&client);
    cr_assert(eq(sz, client_count(&client, "ingest"), 0));
    cr_assert(eq(sz, client_count(&client, "blobs"), 1), "what was acknowledged is there, nothing else is");
    cr_assert(eq(sz, client_count(&client, "layers"), 0));
    cr_assert(eq(int, client_begin_blob(&client, &known, &first), BH_OK));
    cr_assert(eq(u64, first.resume_offset, 1000));
    struct mover *reader = read_in_thread(bh_steal_fd(&first.fds[1]), SIZE);
    struct mover *writer = write_in_thread(bh_steal_fd(&first.fds[0]), bytes + 1000, SIZE - 1000);
    cr_assert(eq(int, client_finish_blob(&client, &first, &stored, &n_bytes), BH_OK));
    (void)wait_for(writer, NULL);
    cr_assert(eq(sz, wait_for(reader, NULL), SIZE));
    cr_assert(client_file_is(&client, "blobs", &digest, bytes, SIZE));
    client_stop(&client);
}

Test(store_crash, needs_no_more_bytes_when_all_had_come, .timeout = 60)
{
    struct client client = {.channel = NULL};
    bh_autofree uint8_t *bytes = make_bytes(1000, 8);
    struct bh_digest digest = digest_of(bytes, 1000);
    struct bh_digest stored;
    struct ingesting ingesting;
    uint8_t copy[1000];
    uint64_t n_bytes = 0;
    Bulkhead__BeginBlob known = client_blob(&digest, 1000, true);
    client_start(&client);
    cr_assert(eq(int, client_begin_blob(&client, &known, &ingesting), BH_OK));
    cr_assert(write(ingesting.fds[0], bytes, 1000) == 1000);
    cr_assert(read(ingesting.fds[1], copy, 1000) == 1000);
    client_kill(&client);
    bh_call_free(ingesting.call);
    bh_close(&ingesting.fds[0]);
    bh_close(&ingesting.fds[1]);
    client_await_partial(&client, &digest);
    client_start(&client);
    cr_assert(eq(int, client_begin_blob(&client, &known, &ingesting), BH_OK));
    cr_assert(eq(u64, ingesting.resume_offset, 1000));
    bh_close(&ingesting.fds[0]);
    cr_assert(eq(int, client_finish_blob(&client, &ingesting, &stored, &n_bytes), BH_OK));
    cr_assert(client_file_is(&client, "blobs", &digest, bytes, 1000));
    client_stop(&client);
}

Test(store_crash, keeps_sealed_layers, .timeout = 60)
{
    struct client client = {.channel = NULL};
    struct image image;
    size_t n_nodes = 0;
    struct bh_digest blob, found;
    struct ingesting ingesting;
    Bulkhead__LayerSealed sealed;
    Bulkhead__ContentStat stat;
    const struct image_node *nodes = image_sample(&n_nodes);
    image_build(nodes, n_nodes, &image);
    client_start(&client);
    cr_assert(eq(int, client_store_blob(&client, "blob", 4, &blob), BH_OK));
    cr_assert(eq(int, client_begin_layer(&client, &blob, &ingesting), BH_OK));
    cr_assert(write(ingesting.fds[0], image.bytes, image.n_bytes) == (ssize_t)image.n_bytes);
    bh_close(&ingesting.fds[0]);
    cr_assert(eq(int, client_seal(&client, ingesting.id, &diff_id, &sealed), BH_OK));
    client_kill(&client);
    client_start(&client);
    cr_assert(eq(int, client_stat(&client, &blob, &stat, &found), BH_OK));
    cr_assert(stat.layer);
    cr_assert(bh_digest_equal(&found, &diff_id));
    cr_assert(client_file_is(&client, "layers", &blob, image.bytes, image.n_bytes));
    image_free(&image);
    client_stop(&client);
}

/* A store on a file system of 4 MiB. */
static void start_on_small_disk(struct client *client, char *path, size_t path_bytes)
{
    (void)snprintf(client->harness.folder, sizeof(client->harness.folder), "/tmp/bh-XXXXXX");
    cr_assert(mkdtemp(client->harness.folder) != NULL);
    (void)snprintf(path, path_bytes, "%s/%d", client->harness.folder, BH_FOLDER_STATE);
    cr_assert(mkdir(path, 0700) == 0);
    cr_assert(mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV, "size=4m") == 0);
    client_start(client);
}

Test(store_crash, survives_a_full_disk, .timeout = 60)
{
    struct client client = {.channel = NULL};
    char path[128];
    const size_t size = 8 * 1024 * 1024;
    bh_autofree uint8_t *bytes = make_bytes(size, 6);
    struct bh_digest stored;
    uint64_t n_bytes = 0;
    struct ingesting ingesting;
    start_on_small_disk(&client, path, sizeof(path));
    cr_expect(eq(int, client_store_blob(&client, bytes, size, &stored), BH_RESOURCE_EXHAUSTED));
    cr_expect(strstr(client.error.message, "No space left") != NULL, "said \"%s\"", client.error.message);
    cr_expect(client_is_clean(&client), "also the beginning is gone");
    cr_expect(eq(int, client_begin_spool(&client, size, &ingesting), BH_OK));
    struct mover *writer = write_in_thread(bh_steal_fd(&ingesting.fds[0]), bytes, size);
    cr_expect(eq(int, client_finish_spool(&client, &ingesting, &n_bytes), BH_RESOURCE_EXHAUSTED));
    (void)wait_for(writer, NULL);
    cr_expect(client_is_clean(&client));
    cr_expect(eq(int, client_store_blob(&client, bytes, 3 * 1024 * 1024, &stored), BH_OK), "the space is free again");
    cr_expect(umount2(path, MNT_DETACH) == 0);
    client_stop(&client);
}
