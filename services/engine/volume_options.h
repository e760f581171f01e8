/* SPDX-License-Identifier: Apache-2.0
 *
 * The options of the local volume driver (docker volume create -o), as a client wrote them, into numbers. Pure.
 */
#pragma once

#include "api_engine.pb-c.h"
#include "common/error.h"

struct volume_plan {
    Bulkhead__VolumeKind kind;
    uint64_t size_bytes; /* disk */
    const char *source;  /* bind: borrowed from the options; else "" */
    bool read_only, no_exec, allow_setuid, allow_devices, recursive;
    uint64_t tmpfs_bytes, tmpfs_inodes;
    uint32_t tmpfs_mode, tmpfs_uid, tmpfs_gid;
};

/* Nothing: a plain folder. size=: a disk. type=tmpfs; type=none with o=bind and a device. All else is refused, naming
 * it. */
int volume_options_read(Bulkhead__KeyValue *const *options, size_t n_options, struct volume_plan *ret_plan,
                        struct bh_error *error);
