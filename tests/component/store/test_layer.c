/* SPDX-License-Identifier: Apache-2.0
 *
 * Promise 3, second half: an image becomes a layer only when nobody can write it any more and its structure keeps every
 * rule.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client.h"
#include "common/cleanup.h"
#include "image_builder.h"

static struct client client;
static struct image image;
static struct bh_digest blob;
static const struct bh_digest diff_id = {{0xd1, 0xff}};

static void set_up(void)
{
    size_t n_nodes = 0;
    const struct image_node *nodes = image_sample(&n_nodes);
    image_build(nodes, n_nodes, &image);
    memset(&client, 0, sizeof(client));
    client_start(&client);
    cr_assert(eq(int, client_store_blob(&client, "compressed", 10, &blob), BH_OK));
}

static void tear_down(void)
{
    image_free(&image);
    client_stop(&client);
}

/* Begins a layer and writes the image into it; the file stays open. */
static uint64_t write_image(int *ret_fd)
{
    struct ingesting ingesting;
    cr_assert(eq(int, client_begin_layer(&client, &blob, &ingesting), BH_OK));
    cr_assert(ge(int, ingesting.fds[0], 0));
    cr_assert(pwrite(ingesting.fds[0], image.bytes, image.n_bytes, 0) == (ssize_t)image.n_bytes);
    *ret_fd = ingesting.fds[0];
    return ingesting.id;
}

static enum bh_code seal_image(Bulkhead__LayerSealed *ret_sealed)
{
    int fd = -1;
    uint64_t ingest = write_image(&fd);
    bh_close(&fd);
    return client_seal(&client, ingest, &diff_id, ret_sealed);
}

TestSuite(store_layer, .init = set_up, .fini = tear_down, .timeout = 60);

Test(store_layer, seals_a_good_image)
{
    Bulkhead__LayerSealed sealed;
    Bulkhead__ContentStat stat;
    struct bh_digest found;
    struct stat status;
    char hex[BH_DIGEST_HEX_SIZE];
    cr_assert(eq(int, seal_image(&sealed), BH_OK), "%s", client.error.message);
    cr_assert(eq(u64, sealed.image_bytes, image.n_bytes));
    cr_assert(eq(u64, sealed.inodes, SAMPLE_FIXED - 1 + 1000));
    cr_assert(eq(u64, sealed.content_bytes, 2 * 21 + 3 * 4096));
    cr_assert(client_file_is(&client, "layers", &blob, image.bytes, image.n_bytes));
    bh_autoclose int root = harness_folder(&client.harness, BH_FOLDER_STATE);
    bh_autoclose int layers = openat(root, "layers", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    cr_assert(fstatat(layers, bh_digest_hex(&blob, hex), &status, AT_SYMLINK_NOFOLLOW) == 0);
    cr_assert(eq(u32, status.st_mode, S_IFREG | 0400));
    cr_assert(eq(u64, status.st_nlink, 1));
    cr_assert(eq(int, client_stat(&client, &blob, &stat, &found), BH_OK));
    cr_assert(stat.blob && stat.layer);
    cr_assert(eq(u64, stat.blob_bytes, 10));
    cr_assert(eq(u64, stat.layer_bytes, image.n_bytes));
    cr_assert(eq(u64, stat.content_bytes, sealed.content_bytes));
    cr_assert(bh_digest_equal(&found, &diff_id));
    cr_assert(client_is_clean(&client));
}

Test(store_layer, is_not_begun_again_when_sealed)
{
    Bulkhead__LayerSealed sealed;
    struct ingesting ingesting;
    cr_assert(eq(int, seal_image(&sealed), BH_OK));
    cr_assert(eq(int, client_begin_layer(&client, &blob, &ingesting), BH_ALREADY_EXISTS));
}

Test(store_layer, may_be_made_by_two_at_once)
{
    Bulkhead__LayerSealed sealed;
    int first = -1;
    int second = -1;
    uint64_t one = write_image(&first);
    uint64_t two = write_image(&second);
    bh_close(&first);
    bh_close(&second);
    cr_assert(eq(int, client_seal(&client, one, &diff_id, &sealed), BH_OK));
    cr_assert(eq(int, client_seal(&client, two, &diff_id, &sealed), BH_OK));
    cr_assert(eq(u64, sealed.image_bytes, image.n_bytes));
    cr_assert(eq(sz, client_count(&client, "layers"), 2), "one image, one record");
    cr_assert(client_is_clean(&client));
}

Test(store_layer, is_refused_while_somebody_can_write)
{
    Bulkhead__LayerSealed sealed;
    int fd = -1;
    uint64_t ingest = write_image(&fd);
    cr_assert(eq(int, client_seal(&client, ingest, &diff_id, &sealed), BH_FAILED_PRECONDITION));
    cr_assert(eq(sz, client_count(&client, "layers"), 0));
    cr_assert(client_is_clean(&client), "the file is gone");
    cr_assert(eq(int, client_seal(&client, ingest, &diff_id, &sealed), BH_NOT_FOUND));
    bh_close(&fd);
    cr_assert(eq(int, seal_image(&sealed), BH_OK), "the next one succeeds");
}

Test(store_layer, is_refused_while_somebody_has_it_mapped)
{
    Bulkhead__LayerSealed sealed;
    int fd = -1;
    uint64_t ingest = write_image(&fd);
    void *mapped = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    cr_assert(mapped != MAP_FAILED);
    bh_close(&fd);
    cr_assert(eq(int, client_seal(&client, ingest, &diff_id, &sealed), BH_FAILED_PRECONDITION));
    cr_assert(munmap(mapped, 4096) == 0);
}

Test(store_layer, waits_for_a_writer_on_its_way_out)
{
    Bulkhead__SealLayer message = BULKHEAD__SEAL_LAYER__INIT;
    Bulkhead__EngineToStore packet = BULKHEAD__ENGINE_TO_STORE__INIT;
    Bulkhead__ContentStat stat;
    struct bh_digest found = diff_id;
    struct bh_error error;
    int fd = -1;
    message.ingest = write_image(&fd);
    message.diff_id.data = found.bytes;
    message.diff_id.len = BH_DIGEST_BYTES;
    packet.body_case = BULKHEAD__ENGINE_TO_STORE__BODY_SEAL_LAYER;
    packet.seal_layer = &message;
    bh_autocall struct bh_call *call = NULL;
    bh_automessage struct bh_message *answer = NULL;
    cr_assert(bh_call_start(client.channel, &packet.base, NULL, 0, 10000, &call, &error) == 0);
    /* Served in order: the first try was refused by the kernel before this is answered. */
    cr_assert(eq(int, client_stat(&client, &blob, &stat, &found), BH_OK));
    cr_assert(not(stat.layer));
    bh_close(&fd);
    cr_assert(bh_call_next(call, &answer, &error) == 0);
    cr_assert(eq(u32, answer->kind, BULKHEAD__STORE_TO_ENGINE__BODY_LAYER_SEALED));
}

Test(store_layer, is_refused_with_a_broken_structure)
{
    Bulkhead__LayerSealed sealed;
    image.bytes[1024 + 80] = 1; /* an incompatible feature */
    cr_assert(eq(int, seal_image(&sealed), BH_INVALID_ARGUMENT));
    cr_assert(strstr(client.error.message, "superblock") != NULL);
    cr_assert(client_is_clean(&client));
    cr_assert(eq(sz, client_count(&client, "layers"), 0));
    image.bytes[1024 + 80] = 0;
    image.bytes[image.offset[SAMPLE_SH] + 44] ^= 1; /* its link count */
    cr_assert(eq(int, seal_image(&sealed), BH_INVALID_ARGUMENT));
    image.bytes[image.offset[SAMPLE_SH] + 44] ^= 1;
    cr_assert(eq(int, seal_image(&sealed), BH_OK), "the next honest one succeeds");
}

Test(store_layer, is_refused_when_empty)
{
    Bulkhead__LayerSealed sealed;
    struct ingesting ingesting;
    cr_assert(eq(int, client_begin_layer(&client, &blob, &ingesting), BH_OK));
    bh_close(&ingesting.fds[0]);
    cr_assert(eq(int, client_seal(&client, ingesting.id, &diff_id, &sealed), BH_INVALID_ARGUMENT));
    cr_assert(client_is_clean(&client));
}

Test(store_layer, needs_its_blob)
{
    Bulkhead__LayerSealed sealed;
    int fd = -1;
    uint64_t ingest = write_image(&fd);
    bh_close(&fd);
    cr_assert(eq(int, client_delete(&client, &blob), BH_OK));
    cr_assert(eq(int, client_seal(&client, ingest, &diff_id, &sealed), BH_FAILED_PRECONDITION));
    cr_assert(client_is_clean(&client));
}

Test(store_layer, is_sealed_by_layer_ingests_only)
{
    Bulkhead__LayerSealed sealed;
    struct ingesting spool;
    cr_assert(eq(int, client_begin_spool(&client, 100, &spool), BH_OK));
    cr_assert(eq(int, client_seal(&client, spool.id, &diff_id, &sealed), BH_NOT_FOUND));
    cr_assert(eq(int, client_seal(&client, 12345, &diff_id, &sealed), BH_NOT_FOUND));
    uint64_t n_bytes = 0;
    bh_close(&spool.fds[0]);
    cr_assert(eq(int, client_finish_spool(&client, &spool, &n_bytes), BH_OK));
    cr_assert(eq(u64, n_bytes, 0));
}
