/* SPDX-License-Identifier: Apache-2.0
 *
 * The extractor's own bounds, each with its reason; those that other processes share are in common/limits.h.
 */
#pragma once

#include "common/limits.h"

#define EXTRACTOR_MEMORY_BYTES (1 * BH_GIB)   /* a worker: four million small inodes, or a 128 MiB window */
#define EXTRACTOR_FILE_BYTES   (128 * BH_GIB) /* a layer of BH_LAYER_BYTES_MAX in blocks, and its metadata */
#define EXTRACTOR_INPUT_BYTES  (256 * BH_KIB) /* one read of compressed bytes */
#define EXTRACTOR_BLOCK_BYTES                                                                                          \
    (256 * BH_KIB)                     /* one block on its way through the pipeline: fits the processor's cache        \
                                        */
#define EXTRACTOR_BLOCKS            16 /* how far decompression may run ahead of writing */
#define EXTRACTOR_WRITE_BYTES       (1 * BH_MIB)   /* small files are gathered into writes of this size */
#define EXTRACTOR_HOLE_BYTES        (64 * BH_KIB)  /* runs of zeros of at least this size are not written */
#define EXTRACTOR_PROGRESS_BYTES    (1 * BH_MIB)   /* compressed bytes between two progress messages */
#define EXTRACTOR_RATIO_FLOOR_BYTES (64 * BH_MIB)  /* what may come out before the ratio is judged */
#define EXTRACTOR_ZSTD_WINDOW_LOG   27             /* 128 MiB: what zstd itself decodes without asking */
#define EXTRACTOR_XZ_MEMORY_BYTES   (160 * BH_MIB) /* xz -9 needs 65 MiB; 128 MiB dictionaries still pass */
#define EXTRACTOR_STACK_BYTES       (512 * BH_KIB) /* a thread of the pipeline; nothing here recurses on input */
#define EXTRACTOR_TREE_DEPTH_MAX    2048           /* what a path of 4095 bytes can name */
#define EXTRACTOR_SYMLINK_HOPS_MAX  40             /* as the kernel */
#define EXTRACTOR_XATTRS_MAX        512            /* attributes of one entry */
#define EXTRACTOR_MEMBERS_MAX       65536          /* files in an image archive */
#define EXTRACTOR_IMAGES_MAX        1024           /* images in an image archive */
#define EXTRACTOR_REFERENCES_MAX    1024           /* names of one image in an archive */
#define EXTRACTOR_INDEX_DEPTH_MAX   4              /* indexes that name indexes, in an OCI layout */
