/* SPDX-License-Identifier: Apache-2.0
 *
 * gzip by ISA-L; see pack.h. Blocks of one size go in, whatever sizes the reads had, so that the result depends on the
 * layer alone.
 */
#include "pack.h"

#include <errno.h>
#include <isa-l/igzip_lib.h>
#include <stdlib.h>
#include <string.h>

#include "bounds.h"
#include "common/io.h"
#include "decompress.h"

/* ISA-L's levels end at 3. This one is about as small as gzip -2 and several times as fast. */
#define PACK_LEVEL       2
#define PACK_LEVEL_BYTES ISAL_DEF_LVL2_DEFAULT

struct packer {
    struct isal_zstream stream;
    uint8_t *level_buffer, *block, *output;
};

static void packer_end(struct packer *packer)
{
    free(packer->level_buffer);
    free(packer->block);
    free(packer->output);
}
#define packer_auto bh_cleanup(packer_end)

static int packer_begin(struct packer *packer, struct bh_error *error)
{
    packer->level_buffer = malloc(PACK_LEVEL_BYTES);
    packer->block = malloc(EXTRACTOR_BLOCK_BYTES);
    packer->output = malloc(EXTRACTOR_BLOCK_BYTES);
    if (!packer->level_buffer || !packer->block || !packer->output) {
        return bh_error_errno(error, ENOMEM, "allocate a gzip encoder");
    }
    isal_deflate_init(&packer->stream);
    packer->stream.level = PACK_LEVEL;
    packer->stream.level_buf = packer->level_buffer;
    packer->stream.level_buf_size = PACK_LEVEL_BYTES;
    packer->stream.gzip_flag = IGZIP_GZIP;
    return 0;
}

/* Compresses one block and writes what comes of it. */
static int pack_block(struct packer *packer, size_t n_bytes, bool last, int fd, struct bh_error *error)
{
    struct isal_zstream *stream = &packer->stream;
    stream->next_in = packer->block;
    stream->avail_in = (uint32_t)n_bytes;
    stream->end_of_stream = last;
    do {
        stream->next_out = packer->output;
        stream->avail_out = EXTRACTOR_BLOCK_BYTES;
        int result = isal_deflate(stream);
        if (result != COMP_OK) {
            return bh_error_set(error, BH_INTERNAL, "compress a layer: ISA-L says %d", result);
        }
        size_t n_packed = EXTRACTOR_BLOCK_BYTES - stream->avail_out;
        if (n_packed > 0 && bh_write_all(fd, packer->output, n_packed, "the compressed layer", error) < 0) {
            return -1;
        }
    } while (stream->avail_out == 0 || stream->avail_in > 0);
    return 0;
}

static int pack(struct decompressor *decompressor, int fd, struct bh_error *error)
{
    packer_auto struct packer packer = {0};
    if (packer_begin(&packer, error) < 0) {
        return -1;
    }
    for (bool last = false; !last;) {
        size_t got;
        if (decompressor_read(decompressor, packer.block, EXTRACTOR_BLOCK_BYTES, &got, error) < 0) {
            return -1;
        }
        last = got < EXTRACTOR_BLOCK_BYTES;
        if (pack_block(&packer, got, last, fd, error) < 0) {
            return -1;
        }
    }
    return 0;
}

int pack_layer(int source_fd, int target_fd, const struct job_end *end, Bulkhead__Compression *ret_compression,
               bool *ret_packed, struct bh_error *error)
{
    bh_autoinput struct input input = {0};
    bh_autodecompressor struct decompressor *decompressor = NULL;
    if (input_open(source_fd, end, &input, error) < 0 ||
        decompressor_open(&input, BH_LAYER_BYTES_MAX, &decompressor, error) < 0) {
        return -1;
    }
    bool zstd = strcmp(decompressor_name(decompressor), "zstd") == 0;
    *ret_compression = zstd ? BULKHEAD__COMPRESSION__COMPRESSION_ZSTD : BULKHEAD__COMPRESSION__COMPRESSION_GZIP;
    *ret_packed = !zstd && strcmp(decompressor_name(decompressor), "gzip") != 0;
    return *ret_packed ? pack(decompressor, target_fd, error) : 0;
}
