/* SPDX-License-Identifier: Apache-2.0
 *
 * What one api process holds: everything a request may need that is not the request's own. Made in service.c before any
 * client is there; read-only afterwards, but for the parts that lock themselves.
 */
#pragma once

#include <stdint.h>
#include <sys/utsname.h>

#include "common/channel.h"

struct client_watch;

struct api {
    struct bh_channel *engine;
    uint64_t restart_ms; /* how long a call waits for an engine that is being started again */
    struct client_watch *watch;
    uint32_t tenant_uid;
    const char *version;      /* Bulkhead's own */
    int null_fd;              /* /dev/null: streams nobody wants; opened before the sandbox */
    struct utsname host;      /* asked before the sandbox */
    const char *architecture; /* as image-spec names it: "amd64", "arm64" */
    uint64_t memory_bytes;
    uint32_t processors;
};
