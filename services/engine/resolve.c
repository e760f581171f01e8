/* SPDX-License-Identifier: Apache-2.0
 *
 * Names, ids and prefixes; see resolve.h.
 */
#include <stdio.h>
#include <string.h>

#include "services/engine/resolve.h"

static int hex_value(char digit)
{
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

bool resolve_prefix(const char *text, uint8_t ret_low[static ENGINE_ID_BYTES], uint8_t ret_high[static ENGINE_ID_BYTES])
{
    size_t length = strlen(text);
    if (length == 0 || length > 2 * (size_t)ENGINE_ID_BYTES) {
        return false;
    }
    memset(ret_low, 0x00, ENGINE_ID_BYTES);
    memset(ret_high, 0xff, ENGINE_ID_BYTES);
    for (size_t i = 0; i < length; i++) {
        int value = hex_value(text[i]);
        if (value < 0) {
            return false;
        }
        unsigned shift = i % 2 ? 0 : 4;
        ret_low[i / 2] = (uint8_t)(ret_low[i / 2] | (unsigned)value << shift);
        ret_high[i / 2] = (uint8_t)((ret_high[i / 2] & ~(0xfU << shift)) | (unsigned)value << shift);
    }
    return true;
}

/* Finds the id that a reference to a container means. */
static int find_container(struct database *database, uint32_t tenant_uid, const char *reference,
                          uint8_t ret_id[static ENGINE_ID_BYTES], struct bh_error *error)
{
    uint8_t low[ENGINE_ID_BYTES], high[ENGINE_ID_BYTES];
    bool is_hex = resolve_prefix(reference, low, high);
    bool is_whole = is_hex && strlen(reference) == 2 * (size_t)ENGINE_ID_BYTES;
    if (!is_whole) {
        int found = database_find_container_name(database, tenant_uid, reference[0] == '/' ? reference + 1 : reference,
                                                 ret_id, error);
        if (found != 0) {
            return found < 0 ? -1 : 0;
        }
    }
    unsigned count = 0;
    if (is_hex && database_find_container_range(database, tenant_uid, low, high, ret_id, &count, error) < 0) {
        return -1;
    }
    if (count > 1) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "Multiple IDs found with provided prefix: %s", reference);
    }
    return count == 1 ? 0 : bh_error_set(error, BH_NOT_FOUND, "No such container: %s", reference);
}

int resolve_container(struct job *job, const char *reference, struct container_row *ret_row, struct bh_error *error)
{
    uint8_t id[ENGINE_ID_BYTES];
    if (find_container(job->engine->database, job->tenant_uid, reference, id, error) < 0) {
        return -1;
    }
    if (database_container(job->engine->database, id, ret_row, error) < 0) {
        return error->code == BH_NOT_FOUND ? bh_error_set(error, BH_NOT_FOUND, "No such container: %s", reference) : -1;
    }
    return 0;
}

int resolve_reference(const char *text, struct bh_reference *ret_reference,
                      char ret_name[static BH_REFERENCE_BYTES_MAX + 1], struct bh_error *error)
{
    if (bh_reference_parse(text, ret_reference, error) < 0) {
        return -1;
    }
    if (!ret_reference->tag[0] && !ret_reference->has_digest) {
        (void)snprintf(ret_reference->tag, sizeof ret_reference->tag, "latest");
    }
    struct bh_reference named = *ret_reference;
    if (named.has_digest) {
        named.tag[0] = '\0'; /* the digest decides, as for Docker */
    }
    (void)bh_reference_format(&named, ret_name, BH_REFERENCE_BYTES_MAX + 1);
    return 0;
}

int resolve_new_name(const char *text, struct bh_reference *ret_reference,
                     char ret_name[static BH_REFERENCE_BYTES_MAX + 1], struct bh_error *error)
{
    if (resolve_reference(text, ret_reference, ret_name, error) < 0) {
        return -1;
    }
    if (strcmp(ret_reference->domain, "docker.io") == 0 && strcmp(ret_reference->repository, "library/sha256") == 0) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "refusing to create an ambiguous tag using digest algorithm as name");
    }
    return 0;
}

/* The familiar name with its tag, as Docker's "No such image" has it. */
static int refuse_image(const char *reference, struct bh_error *error)
{
    struct bh_reference parsed;
    struct bh_error ignored;
    char name[BH_REFERENCE_BYTES_MAX + 1];
    if (resolve_reference(reference, &parsed, name, &ignored) == 0) {
        (void)bh_reference_familiar(&parsed, name, sizeof name);
        return bh_error_set(error, BH_NOT_FOUND, "No such image: %s", name);
    }
    return bh_error_set(error, BH_NOT_FOUND, "No such image: %s", reference);
}

int resolve_image(struct database *database, uint32_t tenant_uid, const char *reference, struct bh_digest *ret_id,
                  char ret_name[static BH_REFERENCE_BYTES_MAX + 1], struct bh_error *error)
{
    struct bh_reference parsed;
    struct bh_error not_a_name = {0};
    bool is_id = strncmp(reference, "sha256:", 7) == 0;
    const char *digits = is_id ? reference + 7 : reference;
    uint8_t low[ENGINE_ID_BYTES], high[ENGINE_ID_BYTES];
    ret_name[0] = '\0';
    if (!is_id && resolve_reference(reference, &parsed, ret_name, &not_a_name) == 0) {
        int found = database_find_name(database, tenant_uid, ret_name, ret_id, error);
        if (found != 0) {
            return found < 0 ? -1 : 0;
        }
        ret_name[0] = '\0';
    }
    if (!resolve_prefix(digits, low, high)) {
        return not_a_name.code ? bh_error_set(error, BH_INVALID_ARGUMENT, "%s", not_a_name.message)
                               : refuse_image(reference, error);
    }
    unsigned count = 0;
    if (database_find_image_range(database, tenant_uid, low, high, ret_id, &count, error) < 0) {
        return -1;
    }
    if (count > 1) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "Multiple IDs found with provided prefix: %s", digits);
    }
    return count == 1 ? 0 : refuse_image(reference, error);
}
