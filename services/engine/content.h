/* SPDX-License-Identifier: Apache-2.0
 *
 * Which content is in whose hands right now, by digest. A pull or load holds what it relies on, so that garbage
 * collection passes it by; whoever brings a digest into the store claims it first, so that two pulls of one layer fetch
 * it once. Content whose digest is not known yet is announced as unnamed: nothing is deleted meanwhile.
 */
#pragma once

#include <stdbool.h>

#include "common/digest.h"
#include "services/engine/jobs.h"

struct content;

int content_new(struct content **ret_content, struct bh_error *error);
void content_free(struct content *content);
void content_wake(struct content *content);

/* Counted; waits for a deletion that is under way. */
int content_hold(struct job *job, const struct bh_digest *digest, struct bh_error *error);
void content_release(struct content *content, const struct bh_digest *digest);

/* The only one who may bring in a digest: waits for whoever does so already. The caller holds it. */
int content_claim(struct job *job, const struct bh_digest *digest, struct bh_error *error);
/* Is it claimed at this moment? Only to tell a client why it waits. */
bool content_is_claimed(struct content *content, const struct bh_digest *digest);
void content_unclaim(struct content *content, const struct bh_digest *digest);

/* Around bringing in content of a digest that is not known yet. */
int content_begin_unnamed(struct job *job, struct bh_error *error);
void content_end_unnamed(struct content *content);

/* True: nobody holds it, and nobody can until content_end_delete(). */
bool content_begin_delete(struct content *content, const struct bh_digest *digest);
void content_end_delete(struct content *content, const struct bh_digest *digest);
