/* SPDX-License-Identifier: Apache-2.0
 *
 * The store's state: its folders and what is being written. One per process, touched on the loop only.
 */
#pragma once

#include <sys/queue.h>

#include "common/service.h"
#include "layout.h"

/* Ingests at once: twenty pulls of five layers each, blob and image. Workers are bounded by the sandbox's process
 * limit. */
#define STORE_INGESTS_MAX 256

struct ingest;

struct store {
    struct bh_service_context *context;
    struct layout layout;
    TAILQ_HEAD(ingests, ingest) ingests;
    size_t n_ingests;
    uint64_t last_ingest; /* ids count up and are never used twice */
};
