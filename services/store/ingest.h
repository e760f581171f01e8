/* SPDX-License-Identifier: Apache-2.0
 *
 * Things being written: what blobs, spools and layers have in common. An ingest belongs to the engine's channel and
 * ends with it; until it is published, its file has no name that anybody could ask for.
 */
#pragma once

#include <stdbool.h>

#include "common/channel.h"
#include "job.h"
#include "layout.h"
#include "store.h"

enum ingest_kind { INGEST_BLOB = 1, INGEST_SPOOL, INGEST_LAYER };

struct ingest {
    TAILQ_ENTRY(ingest) next;
    struct store *store;
    uint64_t id;
    enum ingest_kind kind;
    struct bh_request *request; /* whoever waits for the answer, counted; NULL if nobody */
    struct job *job;            /* the worker on it, or NULL */
    struct layout_name name;    /* its file */
    bool partial;               /* the file is partial/<digest> and may outlive this ingest */

    struct bh_digest digest; /* BLOB: what it turned out to have; LAYER: its blob's */
    uint64_t size_bytes;     /* BLOB and SPOOL: once written */
    bool complete;           /* SPOOL: can be opened */

    /* LAYER, see layer.c. */
    int image;                      /* read-only, where the lease is taken; else -1 */
    struct layout_name record_name; /* the record to be published with it */
    int record;
    struct bh_digest diff_id;
    struct event *retry;
    uint64_t retry_until_ms;
};

/* Lists a new ingest, without a file. RESOURCE_EXHAUSTED beyond STORE_INGESTS_MAX. */
int ingest_new(struct store *store, enum ingest_kind kind, struct ingest **ret_ingest, struct bh_error *error);
/* NULL if there is none of that id and kind (0: any). Borrowed. */
struct ingest *ingest_find(struct store *store, uint64_t id, enum ingest_kind kind);

/* Makes `request` the one to be answered; its cancellation ends the ingest, keeping a partial blob. */
void ingest_wait(struct ingest *ingest, struct bh_request *request);
/* Answers whoever waits. */
void ingest_answer(struct ingest *ingest, ProtobufCMessage *packet);

/* Ends it: worker, descriptors and file go. With `keep` a partial blob's file stays. The request, if not answered yet,
 * is answered with CANCELLED. */
void ingest_end(struct ingest *ingest, bool keep);
/* Answers with the error, then ends it. */
void ingest_fail(struct ingest *ingest, const struct bh_error *error, bool keep);
/* All of them: the channel is gone. Partial blobs stay. */
void ingest_end_all(struct store *store);
