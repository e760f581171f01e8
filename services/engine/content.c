/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of content in use; see content.h.
 */
#include <errno.h>
#include <string.h>

#include "services/engine/content.h"

struct entry {
    struct entry *next;
    struct bh_digest digest;
    unsigned holds;
    bool claimed, deleting;
};

struct content {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct entry *entries; /* as many as layers of the pulls under way: a list will do */
    unsigned unnamed, deletions;
};

int content_new(struct content **ret_content, struct bh_error *error)
{
    struct content *content = calloc(1, sizeof *content);
    if (!content) {
        return bh_error_errno(error, ENOMEM, "make the table of content");
    }
    (void)pthread_mutex_init(&content->mutex, NULL);
    (void)pthread_cond_init(&content->changed, NULL);
    *ret_content = content;
    return 0;
}

void content_free(struct content *content)
{
    if (!content) {
        return;
    }
    struct entry *entry;
    while ((entry = content->entries)) {
        content->entries = entry->next;
        free(entry);
    }
    (void)pthread_cond_destroy(&content->changed);
    (void)pthread_mutex_destroy(&content->mutex);
    free(content);
}

void content_wake(struct content *content)
{
    (void)pthread_mutex_lock(&content->mutex);
    (void)pthread_cond_broadcast(&content->changed);
    (void)pthread_mutex_unlock(&content->mutex);
}

/* Called with the lock held. */
static struct entry *find(struct content *content, const struct bh_digest *digest)
{
    struct entry *entry = content->entries;
    while (entry && !bh_digest_equal(&entry->digest, digest)) {
        entry = entry->next;
    }
    return entry;
}

/* Called with the lock held. */
static struct entry *find_or_add(struct content *content, const struct bh_digest *digest)
{
    struct entry *entry = find(content, digest);
    if (!entry && (entry = calloc(1, sizeof *entry))) {
        entry->digest = *digest;
        entry->next = content->entries;
        content->entries = entry;
    }
    return entry;
}

/* Called with the lock held. */
static void forget_if_unused(struct content *content, struct entry *entry)
{
    if (entry->holds > 0 || entry->claimed || entry->deleting) {
        return;
    }
    for (struct entry **link = &content->entries; *link; link = &(*link)->next) {
        if (*link == entry) {
            *link = entry->next;
            free(entry);
            return;
        }
    }
}

int content_hold(struct job *job, const struct bh_digest *digest, struct bh_error *error)
{
    struct content *content = job->engine->content;
    int result = 0;
    (void)pthread_mutex_lock(&content->mutex);
    struct entry *entry = find_or_add(content, digest);
    if (entry) {
        entry->holds++; /* first, so that the entry stays while we wait */
        while (entry->deleting && (result = job_check(job, error)) == 0) {
            (void)pthread_cond_wait(&content->changed, &content->mutex);
        }
        if (result < 0) {
            entry->holds--;
            forget_if_unused(content, entry);
        }
    } else {
        result = bh_error_errno(error, ENOMEM, "hold content");
    }
    (void)pthread_mutex_unlock(&content->mutex);
    return result;
}

void content_release(struct content *content, const struct bh_digest *digest)
{
    (void)pthread_mutex_lock(&content->mutex);
    struct entry *entry = find(content, digest);
    if (entry) {
        entry->holds--;
        forget_if_unused(content, entry);
    }
    (void)pthread_mutex_unlock(&content->mutex);
}

int content_claim(struct job *job, const struct bh_digest *digest, struct bh_error *error)
{
    struct content *content = job->engine->content;
    int result = 0;
    (void)pthread_mutex_lock(&content->mutex);
    struct entry *entry = find_or_add(content, digest);
    if (entry) {
        entry->holds++;
        while (entry->claimed && (result = job_check(job, error)) == 0) {
            (void)pthread_cond_wait(&content->changed, &content->mutex);
        }
        entry->holds--;
        if (result == 0) {
            entry->claimed = true;
        } else {
            forget_if_unused(content, entry);
        }
    } else {
        result = bh_error_errno(error, ENOMEM, "claim content");
    }
    (void)pthread_mutex_unlock(&content->mutex);
    return result;
}

bool content_is_claimed(struct content *content, const struct bh_digest *digest)
{
    (void)pthread_mutex_lock(&content->mutex);
    const struct entry *entry = find(content, digest);
    bool claimed = entry && entry->claimed;
    (void)pthread_mutex_unlock(&content->mutex);
    return claimed;
}

void content_unclaim(struct content *content, const struct bh_digest *digest)
{
    (void)pthread_mutex_lock(&content->mutex);
    struct entry *entry = find(content, digest);
    if (entry) {
        entry->claimed = false;
        forget_if_unused(content, entry);
    }
    (void)pthread_cond_broadcast(&content->changed);
    (void)pthread_mutex_unlock(&content->mutex);
}

int content_begin_unnamed(struct job *job, struct bh_error *error)
{
    struct content *content = job->engine->content;
    int result = 0;
    (void)pthread_mutex_lock(&content->mutex);
    content->unnamed++; /* no deletion begins from here on; those under way are waited for */
    while (content->deletions > 0 && (result = job_check(job, error)) == 0) {
        (void)pthread_cond_wait(&content->changed, &content->mutex);
    }
    if (result < 0) {
        content->unnamed--;
    }
    (void)pthread_mutex_unlock(&content->mutex);
    return result;
}

void content_end_unnamed(struct content *content)
{
    (void)pthread_mutex_lock(&content->mutex);
    content->unnamed--;
    (void)pthread_mutex_unlock(&content->mutex);
}

bool content_begin_delete(struct content *content, const struct bh_digest *digest)
{
    bool mine = false;
    (void)pthread_mutex_lock(&content->mutex);
    struct entry *entry = content->unnamed == 0 && !find(content, digest) ? find_or_add(content, digest) : NULL;
    if (entry) {
        entry->deleting = true;
        content->deletions++;
        mine = true;
    }
    (void)pthread_mutex_unlock(&content->mutex);
    return mine;
}

void content_end_delete(struct content *content, const struct bh_digest *digest)
{
    (void)pthread_mutex_lock(&content->mutex);
    struct entry *entry = find(content, digest);
    if (entry) {
        entry->deleting = false;
        content->deletions--;
        forget_if_unused(content, entry);
    }
    (void)pthread_cond_broadcast(&content->changed);
    (void)pthread_mutex_unlock(&content->mutex);
}
