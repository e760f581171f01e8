/* SPDX-License-Identifier: Apache-2.0
 *
 * See save_members.h.
 */
#include "services/engine/save_members.h"

#include <errno.h>
#include <string.h>

void saved_members_end(struct saved_members *members)
{
    for (size_t i = 0; i < members->n_members; i++) {
        if (members->members[i].spool) {
            spool_end(members->members[i].spool);
            free(members->members[i].spool);
        }
    }
    free(members->members);
    holds_end(&members->holds);
    prober_end(&members->prober);
}

/* The member that is made of this stored content. */
static const struct saved_member *find_blob(const struct saved_members *members, const struct bh_digest *blob)
{
    for (size_t i = 0; i < members->n_members; i++) {
        if (bh_digest_equal(&members->members[i].blob, blob)) {
            return &members->members[i];
        }
    }
    return NULL;
}

/* Adds a member that no stored content has given yet. Another may have the same bytes all the same. */
static int add(struct saved_members *members, const struct saved_member *member, struct bh_error *error)
{
    struct saved_member *grown = reallocarray(members->members, members->n_members + 1, sizeof *grown);
    if (!grown) {
        return bh_error_errno(error, ENOMEM, "list the archive's members");
    }
    members->members = grown;
    grown[members->n_members++] = *member;
    return 0;
}

static struct manifest_blob as_blob(const struct saved_member *member)
{
    return (struct manifest_blob){
        .digest = member->digest, .size_bytes = member->n_bytes, .compression = member->compression};
}

int saved_members_add_config(struct saved_members *members, const struct bh_digest *digest,
                             struct manifest_blob *ret_blob, struct bh_error *error)
{
    struct saved_member member = {.digest = *digest, .blob = *digest};
    struct store_content content;
    if (holds_add(&members->holds, members->job, digest, error) < 0 ||
        store_stat(members->job, digest, &content, error) < 0) {
        return -1;
    }
    if (!content.blob) {
        return bh_error_set(error, BH_DATA_LOSS, "the image's config is not in the store any more");
    }
    member.n_bytes = content.blob_bytes;
    *ret_blob = as_blob(&member);
    return add(members, &member, error);
}

static int decompress(struct saved_members *members, int blob, const struct bh_digest *diff_id,
                      struct saved_member *member, struct bh_error *error)
{
    struct spool *spool = malloc(sizeof *spool);
    if (!spool) {
        return bh_error_errno(error, ENOMEM, "decompress a layer");
    }
    *spool = (struct spool)SPOOL_NONE;
    if (spool_decompress(members->job, blob, spool, error) < 0) {
        spool_end(spool);
        free(spool);
        return -1;
    }
    member->spool = spool;
    member->digest = *diff_id; /* was compared with the content when the layer came in */
    member->n_bytes = spool->n_bytes;
    member->compression = BULKHEAD__COMPRESSION__COMPRESSION_NONE;
    return 0;
}

int saved_members_add_layer(struct saved_members *members, const struct bh_digest *blob,
                            const struct bh_digest *diff_id, struct manifest_blob *ret_blob, struct bh_error *error)
{
    struct saved_member member = {.digest = *blob, .blob = *blob};
    bh_autoclose int fd = -1;
    const struct saved_member *known = find_blob(members, blob);
    if (known) {
        *ret_blob = as_blob(known);
        return 0;
    }
    if (holds_add(&members->holds, members->job, blob, error) < 0 ||
        store_open_blob(members->job, blob, &fd, &member.n_bytes, error) < 0 ||
        prober_ask(&members->prober, members->job, fd, &member.compression, error) < 0) {
        return -1;
    }
    if (member.compression != BULKHEAD__COMPRESSION__COMPRESSION_NONE &&
        member.compression != BULKHEAD__COMPRESSION__COMPRESSION_GZIP &&
        decompress(members, fd, diff_id, &member, error) < 0) {
        return -1;
    }
    *ret_blob = as_blob(&member);
    if (add(members, &member, error) < 0) {
        if (member.spool) {
            spool_end(member.spool);
            free(member.spool);
        }
        return -1;
    }
    return 0;
}

int saved_members_add_bytes(struct saved_members *members, const char *bytes, size_t n_bytes,
                            struct bh_digest *ret_digest, struct bh_error *error)
{
    struct saved_member member = {.n_bytes = n_bytes, .bytes = bytes};
    if (bh_digest_of(bytes, n_bytes, &member.digest, error) < 0) {
        return -1;
    }
    *ret_digest = member.blob = member.digest;
    return add(members, &member, error);
}

static int by_digest(const void *a, const void *b)
{
    const struct saved_member *left = a, *right = b;
    return memcmp(left->digest.bytes, right->digest.bytes, sizeof left->digest.bytes);
}

void saved_members_sort(struct saved_members *members)
{
    if (members->n_members > 0) {
        qsort(members->members, members->n_members, sizeof *members->members, by_digest);
    }
}

int saved_member_open(struct saved_members *members, const struct saved_member *member, int *ret_fd,
                      struct bh_error *error)
{
    uint64_t n_bytes;
    return member->spool ? store_open_spool(members->job, member->spool->id, ret_fd, error)
                         : store_open_blob(members->job, &member->blob, ret_fd, &n_bytes, error);
}
