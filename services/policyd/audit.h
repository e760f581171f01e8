/* SPDX-License-Identifier: Apache-2.0
 *
 * The audit log: one line of JSON per decision, append-only, chained by hash. Every line holds its number, the hash of
 * the line before it, and ends with its own hash: sha256 of everything before `,"hash":`. Whoever alters, inserts or
 * removes a line breaks the chain; whoever cuts lines off its end disagrees with the file "audit.head". Strings from
 * outside are escaped.
 *
 * Durability: a line is written before what it speaks of is passed on, so that it outlives kill -9 of every process; a
 * thread makes lines durable against a power cut within about a second, and no start waits for it.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/digest.h"
#include "common/error.h"

#define AUDIT_NAME             "audit.log"
#define AUDIT_RECORD_BYTES_MAX 8192U

struct audit {
    int fd, head_fd;
    uint64_t records; /* in the log */
    uint64_t size_bytes;
    struct bh_digest head; /* the newest record's hash; zeros for none */
    pthread_t syncer;
    pthread_mutex_t lock; /* of the two below */
    pthread_cond_t changed;
    bool dirty, stopping, running;
};

/* One decision. NULL and absent digests leave their key out. */
struct audit_record {
    const char *operation; /* "StartContainer" */
    const char *verdict;   /* "allow", "refuse", "audit-only", "invalid", "note" */
    uint64_t trace;
    bool has_tenant;
    uint32_t tenant_uid;
    const uint8_t *container; /* 32 bytes */
    const char *image;
    const char *volume, *network; /* their names */
    const struct bh_digest *image_digest;
    const struct bh_digest *spec; /* of the packed spec that was judged, as it goes to the executor */
    const char *rule, *origin, *reason;
    int64_t number; /* a signal, say; -1 for none */
};

/* Opens (or makes) the log in `folder`. A last line that a power cut tore is cut off and noted; a log shorter than
 * "audit.head" says is noted as a gap, which audit_verify() reports for ever after. */
int audit_open(struct audit *audit, int folder, struct bh_error *error);

/* Appends a record. An error means that it is not in the log: what it speaks of must not happen. */
int audit_append(struct audit *audit, const struct audit_record *record, struct bh_error *error);

void audit_close(struct audit *audit);

/* Walks a log from its start up to `records` records and compares the last hash with `head`; DATA_LOSS names the first
 * record that does not fit. `cancelled` (may be NULL) is asked now and then. Any thread; `fd` is only read, by
 * position. */
int audit_verify(int fd, uint64_t size_bytes, uint64_t records, const struct bh_digest *head, bool (*cancelled)(void *),
                 void *argument, struct bh_error *error);
