/* SPDX-License-Identifier: Apache-2.0
 *
 * Promise 3, first half: nothing is stored but what has the digest that names it, and nothing is visible before it is
 * whole.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client.h"
#include "common/cleanup.h"

#define SIZE (3 * 1024 * 1024 + 17)

static struct client client;
static uint8_t *bytes;
static struct bh_digest digest;

static void set_up(void)
{
    memset(&client, 0, sizeof(client));
    client_start(&client);
    bytes = make_bytes(SIZE, 1);
    digest = digest_of(bytes, SIZE);
}

static void tear_down(void)
{
    free(bytes);
    client_stop(&client);
}

/* Begins a blob, writes `n_bytes`, closes the pipe, waits for the answer. */
static enum bh_code feed(Bulkhead__BeginBlob *message, const uint8_t *from, size_t n_bytes,
                         struct bh_digest *ret_digest, uint64_t *ret_bytes)
{
    struct ingesting ingesting;
    enum bh_code code = client_begin_blob(&client, message, &ingesting);
    if (code != BH_OK) {
        return code;
    }
    struct mover *writer = write_in_thread(bh_steal_fd(&ingesting.fds[0]), from, n_bytes);
    code = client_finish_blob(&client, &ingesting, ret_digest, ret_bytes);
    (void)wait_for(writer, NULL);
    return code;
}

TestSuite(store_blob, .init = set_up, .fini = tear_down, .timeout = 60);

Test(store_blob, stores_what_has_the_right_digest)
{
    Bulkhead__BeginBlob message = client_blob(&digest, SIZE, false);
    struct bh_digest stored;
    uint64_t n_bytes = 0;
    cr_assert(eq(int, feed(&message, bytes, SIZE, &stored, &n_bytes), BH_OK));
    cr_assert(bh_digest_equal(&stored, &digest));
    cr_assert(eq(u64, n_bytes, SIZE));
    cr_assert(client_file_is(&client, "blobs", &digest, bytes, SIZE));
    cr_assert(client_is_clean(&client));
}

Test(store_blob, finds_the_digest_if_it_is_not_known)
{
    Bulkhead__BeginBlob message = client_blob(NULL, SIZE, false);
    struct bh_digest stored;
    uint64_t n_bytes = 0;
    cr_assert(eq(int, feed(&message, bytes, SIZE - 5, &stored, &n_bytes), BH_OK));
    cr_assert(eq(u64, n_bytes, SIZE - 5));
    cr_assert(client_file_is(&client, "blobs", &stored, bytes, SIZE - 5));
    cr_assert(client_is_clean(&client));
}

Test(store_blob, refuses_other_bytes_and_keeps_nothing)
{
    Bulkhead__BeginBlob message = client_blob(&digest, SIZE, false);
    struct bh_digest stored;
    uint64_t n_bytes = 0;
    char expected[BH_DIGEST_TEXT_SIZE];
    char found[BH_DIGEST_TEXT_SIZE];
    bytes[SIZE / 2] ^= 1;
    struct bh_digest other = digest_of(bytes, SIZE);
    cr_assert(eq(int, feed(&message, bytes, SIZE, &stored, &n_bytes), BH_DATA_LOSS));
    cr_assert(strstr(client.error.message, bh_digest_text(&digest, expected)) != NULL);
    cr_assert(strstr(client.error.message, bh_digest_text(&other, found)) != NULL);
    cr_assert(client_is_clean(&client));
    cr_assert(eq(sz, client_count(&client, "blobs"), 0));
}

Test(store_blob, refuses_more_bytes_than_announced)
{
    Bulkhead__BeginBlob message = client_blob(&digest, SIZE - 1, false);
    struct bh_digest stored;
    uint64_t n_bytes = 0;
    cr_assert(eq(int, feed(&message, bytes, SIZE, &stored, &n_bytes), BH_DATA_LOSS));
    message = client_blob(NULL, 1000, false);
    cr_assert(eq(int, feed(&message, bytes, 1001, &stored, &n_bytes), BH_INVALID_ARGUMENT));
    cr_assert(client_is_clean(&client));
    cr_assert(eq(sz, client_count(&client, "blobs"), 0));
}

Test(store_blob, refuses_requests_that_make_no_sense)
{
    struct ingesting ingesting;
    Bulkhead__BeginBlob message = client_blob(&digest, 0, false);
    cr_assert(eq(int, client_begin_blob(&client, &message, &ingesting), BH_INVALID_ARGUMENT));
    message = client_blob(&digest, SIZE, false);
    message.digest.len = 31;
    cr_assert(eq(int, client_begin_blob(&client, &message, &ingesting), BH_INVALID_ARGUMENT));
    message = client_blob(NULL, 1ULL << 60, false);
    cr_assert(eq(int, client_begin_blob(&client, &message, &ingesting), BH_INVALID_ARGUMENT));
    cr_assert(client_is_clean(&client));
}

Test(store_blob, goes_on_where_the_source_stopped)
{
    Bulkhead__BeginBlob message = client_blob(&digest, SIZE, true);
    struct bh_digest stored;
    uint64_t n_bytes = 0;
    const size_t first = 1024 * 1024 + 3;
    struct ingesting ingesting;
    cr_assert(eq(int, client_begin_blob(&client, &message, &ingesting), BH_OK));
    cr_assert(eq(u64, ingesting.resume_offset, 0));
    struct mover *reader = read_in_thread(bh_steal_fd(&ingesting.fds[1]), SIZE);
    struct mover *writer = write_in_thread(bh_steal_fd(&ingesting.fds[0]), bytes, first);
    cr_assert(eq(int, client_finish_blob(&client, &ingesting, &stored, &n_bytes), BH_DATA_LOSS));
    cr_assert(eq(sz, wait_for(writer, NULL), first));
    cr_assert(eq(sz, wait_for(reader, NULL), first));
    cr_assert(client_file_is(&client, "partial", &digest, bytes, first));
    cr_assert(eq(sz, client_count(&client, "blobs"), 0));

    cr_assert(eq(int, client_begin_blob(&client, &message, &ingesting), BH_OK));
    cr_assert(eq(u64, ingesting.resume_offset, first));
    bh_autofree uint8_t *copy = NULL;
    reader = read_in_thread(bh_steal_fd(&ingesting.fds[1]), SIZE + 1);
    writer = write_in_thread(bh_steal_fd(&ingesting.fds[0]), bytes + first, SIZE - first);
    cr_assert(eq(int, client_finish_blob(&client, &ingesting, &stored, &n_bytes), BH_OK));
    (void)wait_for(writer, NULL);
    cr_assert(eq(sz, wait_for(reader, &copy), SIZE), "the copy carries all bytes, also those kept from before");
    cr_assert(memcmp(copy, bytes, SIZE) == 0);
    cr_assert(client_file_is(&client, "blobs", &digest, bytes, SIZE));
    cr_assert(client_is_clean(&client));
}

Test(store_blob, discards_a_beginning_that_was_wrong)
{
    Bulkhead__BeginBlob message = client_blob(&digest, SIZE, false);
    struct bh_digest stored;
    uint64_t n_bytes = 0;
    struct ingesting ingesting;
    uint8_t wrong[100] = {1, 2, 3};
    cr_assert(eq(int, feed(&message, wrong, sizeof(wrong), &stored, &n_bytes), BH_DATA_LOSS));
    cr_assert(eq(int, client_begin_blob(&client, &message, &ingesting), BH_OK));
    cr_assert(eq(u64, ingesting.resume_offset, sizeof(wrong)));
    struct mover *writer = write_in_thread(bh_steal_fd(&ingesting.fds[0]), bytes + sizeof(wrong), SIZE - sizeof(wrong));
    cr_assert(eq(int, client_finish_blob(&client, &ingesting, &stored, &n_bytes), BH_DATA_LOSS));
    (void)wait_for(writer, NULL);
    cr_assert(client_is_clean(&client));
    cr_assert(eq(int, client_store_blob(&client, bytes, SIZE, &stored), BH_OK), "the next attempt starts afresh");
}

Test(store_blob, copies_to_the_tee)
{
    Bulkhead__BeginBlob message = client_blob(&digest, SIZE, true);
    struct bh_digest stored;
    uint64_t n_bytes = 0;
    struct ingesting ingesting;
    bh_autofree uint8_t *copy = NULL;
    cr_assert(eq(int, client_begin_blob(&client, &message, &ingesting), BH_OK));
    struct mover *reader = read_in_thread(bh_steal_fd(&ingesting.fds[1]), SIZE + 1);
    struct mover *writer = write_in_thread(bh_steal_fd(&ingesting.fds[0]), bytes, SIZE);
    cr_assert(eq(int, client_finish_blob(&client, &ingesting, &stored, &n_bytes), BH_OK));
    (void)wait_for(writer, NULL);
    cr_assert(eq(sz, wait_for(reader, &copy), SIZE));
    cr_assert(memcmp(copy, bytes, SIZE) == 0);
}

Test(store_blob, stores_on_when_the_reader_of_the_tee_is_gone)
{
    Bulkhead__BeginBlob message = client_blob(&digest, SIZE, true);
    struct bh_digest stored;
    uint64_t n_bytes = 0;
    struct ingesting ingesting;
    cr_assert(eq(int, client_begin_blob(&client, &message, &ingesting), BH_OK));
    bh_close(&ingesting.fds[1]);
    struct mover *writer = write_in_thread(bh_steal_fd(&ingesting.fds[0]), bytes, SIZE);
    cr_assert(eq(int, client_finish_blob(&client, &ingesting, &stored, &n_bytes), BH_OK));
    cr_assert(eq(sz, wait_for(writer, NULL), SIZE));
    cr_assert(client_file_is(&client, "blobs", &digest, bytes, SIZE));
}

Test(store_blob, serves_others_while_a_tee_is_never_read)
{
    Bulkhead__BeginBlob message = client_blob(&digest, SIZE, true);
    Bulkhead__ContentStat stat;
    struct bh_digest stored, diff_id;
    uint64_t n_bytes = 0;
    struct ingesting ingesting;
    cr_assert(eq(int, client_begin_blob(&client, &message, &ingesting), BH_OK));
    struct mover *writer = write_in_thread(bh_steal_fd(&ingesting.fds[0]), bytes, SIZE);
    uint8_t *small = make_bytes(1000, 2);
    cr_assert(eq(int, client_store_blob(&client, small, 1000, &stored), BH_OK));
    free(small);
    cr_assert(eq(int, client_stat(&client, &digest, &stat, &diff_id), BH_OK));
    cr_assert(not(stat.blob));
    cr_assert(eq(int, client_abort(&client, ingesting.id), BH_OK));
    cr_assert(eq(int, client_finish_blob(&client, &ingesting, &stored, &n_bytes), BH_CANCELLED));
    cr_assert(lt(sz, wait_for(writer, NULL), SIZE), "its source is cut off");
    cr_assert(client_is_clean(&client), "an abort discards everything");
}

Test(store_blob, keeps_a_beginning_when_the_request_is_cancelled)
{
    Bulkhead__BeginBlob message = client_blob(&digest, SIZE, true);
    struct ingesting ingesting;
    uint8_t copy[1000];
    cr_assert(eq(int, client_begin_blob(&client, &message, &ingesting), BH_OK));
    cr_assert(write(ingesting.fds[0], bytes, 1000) == 1000);
    cr_assert(read(ingesting.fds[1], copy, 1000) == 1000); /* so it was written too */
    bh_call_cancel(ingesting.call);
    bh_call_free(ingesting.call);
    bh_close(&ingesting.fds[0]);
    cr_assert(read(ingesting.fds[1], copy, 1000) == 0, "the worker has ended");
    bh_close(&ingesting.fds[1]);
    cr_assert(client_file_is(&client, "partial", &digest, bytes, 1000));
    cr_assert(eq(sz, client_count(&client, "blobs"), 0));
}

Test(store_blob, ends_ingests_with_the_channel)
{
    Bulkhead__BeginBlob known = client_blob(&digest, SIZE, false);
    Bulkhead__BeginBlob unknown = client_blob(NULL, SIZE, false);
    struct ingesting first, second, layer, spool;
    Bulkhead__ContentStat stat;
    struct bh_digest diff_id;
    uint64_t n_bytes = 0;
    cr_assert(eq(int, client_begin_blob(&client, &known, &first), BH_OK));
    cr_assert(eq(int, client_begin_blob(&client, &unknown, &second), BH_OK));
    cr_assert(eq(int, client_begin_layer(&client, &digest, &layer), BH_OK));
    cr_assert(eq(int, client_begin_spool(&client, SIZE, &spool), BH_OK));
    cr_assert(eq(sz, client_count(&client, "ingest"), 3));
    client_rewire(&client);
    cr_assert(eq(int, client_finish_blob(&client, &first, &diff_id, &n_bytes), BH_UNAVAILABLE));
    cr_assert(eq(int, client_finish_blob(&client, &second, &diff_id, &n_bytes), BH_UNAVAILABLE));
    cr_assert(eq(int, client_finish_spool(&client, &spool, &n_bytes), BH_UNAVAILABLE));
    cr_assert(eq(int, client_stat(&client, &digest, &stat, &diff_id), BH_OK));
    cr_assert(eq(sz, client_count(&client, "ingest"), 0));
    bh_close(&layer.fds[0]);
    cr_assert(eq(int, client_store_blob(&client, bytes, 100, &diff_id), BH_OK));
}

Test(store_blob, stores_the_same_blob_twice_at_once)
{
    Bulkhead__BeginBlob message = client_blob(&digest, SIZE, false);
    struct ingesting both[2];
    struct mover *writers[2];
    struct bh_digest stored;
    uint64_t n_bytes = 0;
    for (int i = 0; i < 2; i++) {
        cr_assert(eq(int, client_begin_blob(&client, &message, &both[i]), BH_OK));
        cr_assert(eq(u64, both[i].resume_offset, 0));
    }
    for (int i = 0; i < 2; i++) {
        writers[i] = write_in_thread(bh_steal_fd(&both[i].fds[0]), bytes, SIZE);
    }
    for (int i = 0; i < 2; i++) {
        cr_assert(eq(int, client_finish_blob(&client, &both[i], &stored, &n_bytes), BH_OK));
        (void)wait_for(writers[i], NULL);
    }
    cr_assert(client_file_is(&client, "blobs", &digest, bytes, SIZE));
    cr_assert(client_is_clean(&client));
}

Test(store_blob, stores_eight_at_once)
{
    struct ingesting all[8];
    struct mover *writers[8];
    uint8_t *contents[8];
    struct bh_digest digests[8], stored;
    uint64_t n_bytes = 0;
    for (int i = 0; i < 8; i++) {
        contents[i] = make_bytes(SIZE, (uint64_t)i + 10);
        digests[i] = digest_of(contents[i], SIZE);
        Bulkhead__BeginBlob message = client_blob(&digests[i], SIZE, false);
        cr_assert(eq(int, client_begin_blob(&client, &message, &all[i]), BH_OK));
        writers[i] = write_in_thread(bh_steal_fd(&all[i].fds[0]), contents[i], SIZE);
    }
    for (int i = 7; i >= 0; i--) {
        cr_assert(eq(int, client_finish_blob(&client, &all[i], &stored, &n_bytes), BH_OK));
        cr_assert(bh_digest_equal(&stored, &digests[i]));
        (void)wait_for(writers[i], NULL);
        cr_assert(client_file_is(&client, "blobs", &digests[i], contents[i], SIZE));
        free(contents[i]);
    }
    cr_assert(client_is_clean(&client));
}

Test(store_blob, opens_read_only)
{
    struct bh_digest stored;
    uint64_t n_bytes = 0;
    bh_autoclose int fd = -1;
    bh_autofree uint8_t *copy = malloc(SIZE);
    cr_assert(eq(int, client_open_blob(&client, &digest, &fd, &n_bytes), BH_NOT_FOUND));
    cr_assert(eq(int, client_store_blob(&client, bytes, SIZE, &stored), BH_OK));
    cr_assert(eq(int, client_open_blob(&client, &digest, &fd, &n_bytes), BH_OK));
    cr_assert(eq(u64, n_bytes, SIZE));
    cr_assert(eq(int, fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY));
    cr_assert(pread(fd, copy, SIZE, 0) == SIZE);
    cr_assert(memcmp(copy, bytes, SIZE) == 0);
}
