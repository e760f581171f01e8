/* SPDX-License-Identifier: Apache-2.0
 *
 * See log_pack.h. A file is whole under its new name before the old one goes; whoever is killed in between leaves both,
 * and the plain one is compressed again. zlib's memory is one mapping that goes back to the kernel with each file.
 */
#include "log_pack.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "common/cleanup.h"
#include "common/io.h"
#include "common/log.h"
#include "common/log_packed.h"
#include "log_file.h"
#include "memory.h"

#define NEW_NAME    "packed.new"
#define PIECE_BYTES (16U * 1024U)  /* compressed in a fraction of a millisecond */
#define ARENA_BYTES (384U * 1024U) /* zlib wants 268 KiB for its usual window */
#define GZIP_WINDOW (15 + 16)      /* zlib's way to say: the largest window, with gzip's header */
#define ZLIB_MEMORY 8              /* zlib's usual memLevel */
#define OS_UNIX     3

struct packer {
    z_stream stream;
    gz_header header;
    int from, to;
    size_t n_arena;
    uint8_t extra[BH_LOG_PACKED_EXTRA_BYTES];
    uint8_t input[PIECE_BYTES], output[PIECE_BYTES];
    uint8_t arena[ARENA_BYTES] __attribute__((aligned(16)));
};

/* ---- zlib's memory ------------------------------------------------------------------------------- */

static voidpf arena_take(voidpf opaque, uInt items, uInt item_bytes)
{
    struct packer *packer = opaque;
    size_t n_bytes = ((size_t)items * item_bytes + 15) & ~(size_t)15;
    if (n_bytes > ARENA_BYTES - packer->n_arena) {
        return Z_NULL;
    }
    void *taken = packer->arena + packer->n_arena;
    packer->n_arena += n_bytes;
    return taken;
}

/* It all goes at once. */
static void arena_leave(voidpf opaque, voidpf address)
{
    (void)opaque;
    (void)address;
}

/* ---- one file ------------------------------------------------------------------------------------ */

static void close_file(struct log_pack *pack)
{
    if (pack->packer) {
        bh_close(&pack->packer->from);
        bh_close(&pack->packer->to);
        (void)munmap(pack->packer, sizeof(*pack->packer));
        pack->packer = NULL;
    }
    pack->index = 0;
}

static void drop(struct log_pack *pack)
{
    close_file(pack);
    (void)unlinkat(pack->folder, NEW_NAME, 0);
}

static void give_up(struct log_pack *pack, const char *what)
{
    bh_log_error("compress a rotated log file: %s: %s; it stays as it is", what, strerror(errno));
    drop(pack);
    pack->pending = false;
}

/* Opens the newest rotated file that is still plain. -1: there is none. */
static int open_plain(struct log_pack *pack, uint32_t *ret_index)
{
    for (uint32_t i = 1; i < pack->max_files; i++) {
        char name[LOG_FILE_NAME_SIZE];
        int fd = openat(pack->folder, log_file_name(name, i, false), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        if (fd >= 0) {
            *ret_index = i;
            return fd;
        }
    }
    return -1;
}

static int start_zlib(struct packer *packer)
{
    struct stat status;
    if (fstat(packer->from, &status) < 0) {
        return -1;
    }
    bh_log_packed_extra(status.st_ino, packer->extra);
    packer->header = (gz_header){.os = OS_UNIX, .extra = packer->extra, .extra_len = sizeof(packer->extra)};
    packer->stream = (z_stream){.zalloc = arena_take, .zfree = arena_leave, .opaque = packer};
    if (deflateInit2(&packer->stream, Z_BEST_SPEED, Z_DEFLATED, GZIP_WINDOW, ZLIB_MEMORY, Z_DEFAULT_STRATEGY) != Z_OK ||
        deflateSetHeader(&packer->stream, &packer->header) != Z_OK) {
        errno = ENOMEM;
        return -1;
    }
    return 0;
}

static void begin(struct log_pack *pack)
{
    uint32_t index;
    int from = open_plain(pack, &index);
    if (from < 0) {
        pack->pending = false;
        return;
    }
    pack->packer = memory_reserve(sizeof(*pack->packer));
    if (!pack->packer) {
        (void)close(from);
        give_up(pack, "reserve memory");
        return;
    }
    pack->index = index;
    pack->packer->from = from;
    pack->packer->to =
        openat(pack->folder, NEW_NAME, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, LOG_FILE_MODE);
    if (pack->packer->to < 0 || start_zlib(pack->packer) < 0) {
        give_up(pack, "begin");
    }
}

/* Compresses what was read and writes what comes of it. */
static int pack_piece(struct packer *packer, size_t n_bytes, bool last)
{
    struct bh_error error;
    z_stream *stream = &packer->stream;
    stream->next_in = packer->input;
    stream->avail_in = (uInt)n_bytes;
    do {
        stream->next_out = packer->output;
        stream->avail_out = sizeof(packer->output);
        (void)deflate(stream, last ? Z_FINISH : Z_NO_FLUSH); /* it fails only for arguments that make no sense */
        if (bh_write_all(packer->to, packer->output, sizeof(packer->output) - stream->avail_out, NEW_NAME, &error) <
            0) {
            errno = error.sys_errno;
            return -1;
        }
    } while (stream->avail_out == 0);
    return 0;
}

static void finish(struct log_pack *pack)
{
    char plain[LOG_FILE_NAME_SIZE], packed[LOG_FILE_NAME_SIZE];
    if (renameat(pack->folder, NEW_NAME, pack->folder, log_file_name(packed, pack->index, true)) < 0 ||
        unlinkat(pack->folder, log_file_name(plain, pack->index, false), 0) < 0) {
        give_up(pack, "rename");
        return;
    }
    close_file(pack);
}

/* ---- what the log calls ---------------------------------------------------------------------------- */

void log_pack_open(struct log_pack *pack, int folder, uint32_t max_files)
{
    *pack = (struct log_pack){.folder = folder, .max_files = max_files, .pending = max_files > 1};
}

void log_pack_rotated(struct log_pack *pack)
{
    pack->pending = pack->max_files > 1;
    if (pack->index > 0 && ++pack->index >= pack->max_files) { /* it has just fallen off */
        drop(pack);
    }
}

void log_pack_step(struct log_pack *pack)
{
    if (pack->index == 0) {
        begin(pack);
        return;
    }
    ssize_t n = read(pack->packer->from, pack->packer->input, sizeof(pack->packer->input));
    if (n < 0 && errno == EINTR) {
        return;
    }
    if (n < 0 || pack_piece(pack->packer, (size_t)n, n == 0) < 0) {
        give_up(pack, n < 0 ? "read" : "write");
    } else if (n == 0) {
        finish(pack);
    }
}

void log_pack_end(struct log_pack *pack)
{
    if (pack->index > 0) {
        drop(pack);
    }
    pack->pending = false;
}
