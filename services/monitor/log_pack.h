/* SPDX-License-Identifier: Apache-2.0
 *
 * Compresses rotated log files (container.log.1 becomes container.log.1.gz), a small piece at a time, whenever the
 * container leaves the monitor nothing else to do: its output never waits for that, and a container that never pauses
 * has files that fall off uncompressed. What is left when the container ends is compressed in its next run. Called by
 * log_file.c and the monitor's loop.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct packer;

struct log_pack {
    int folder; /* borrowed */
    uint32_t max_files;
    bool pending;          /* there may be a file to compress */
    uint32_t index;        /* of the one that is being compressed; 0: none */
    struct packer *packer; /* its memory, only meanwhile */
};

/* A log of at most one file has nothing to compress. */
void log_pack_open(struct log_pack *pack, int folder, uint32_t max_files);
/* Every file has moved on by one. */
void log_pack_rotated(struct log_pack *pack);
/* One piece of the newest file that is not compressed yet. One that cannot be (disk full) stays as it is until the next
 * rotation. */
void log_pack_step(struct log_pack *pack);
/* Gives up what is half done. */
void log_pack_end(struct log_pack *pack);
