/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads certs.d; see certs.h.
 */
#include "certs.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/io.h"
#include "common/limits.h"

#define CERT_BYTES_MAX   (1 * BH_MIB)
#define BUNDLE_BYTES_MAX (4 * BH_MIB)

static bool ends_with(const char *name, const char *suffix)
{
    size_t length = strlen(name), suffix_length = strlen(suffix);
    return length > suffix_length && strcmp(name + length - suffix_length, suffix) == 0;
}

static int open_folder(int at, const char *name, DIR **ret_folder)
{
    bh_autoclose int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return -1;
    }
    *ret_folder = fdopendir(fd);
    if (!*ret_folder) {
        return -1;
    }
    (void)bh_steal_fd(&fd);
    return 0;
}

static int read_pem(int folder, const char *name, size_t max_bytes, char **ret_text, size_t *ret_bytes,
                    struct bh_error *error)
{
    bh_autoclose int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return bh_error_errno(error, errno, "open certificate \"%s\"", name);
    }
    return bh_read_file(fd, max_bytes, ret_text, ret_bytes, name, error);
}

/* Adds a CA of the registry's to what is trusted, which begins with the system's bundle. */
static int add_authority(struct certs *certs, int folder, const char *name, struct bh_error *error)
{
    if (!certs->authorities &&
        read_pem(AT_FDCWD, CERTS_BUNDLE, BUNDLE_BYTES_MAX, &certs->authorities, &certs->authorities_bytes, NULL) < 0) {
        certs->authorities = strdup(""); /* a host without the bundle still has the registry's own CA */
        certs->authorities_bytes = 0;
    }
    bh_autofree char *text = NULL;
    size_t n_bytes = 0;
    if (read_pem(folder, name, CERT_BYTES_MAX, &text, &n_bytes, error) < 0) {
        return -1;
    }
    size_t total;
    if (!certs->authorities || __builtin_add_overflow(certs->authorities_bytes, n_bytes + 2, &total)) {
        return bh_error_errno(error, ENOMEM, "hold certificate \"%s\"", name);
    }
    char *grown = realloc(certs->authorities, total);
    if (!grown) {
        return bh_error_errno(error, ENOMEM, "hold certificate \"%s\"", name);
    }
    certs->authorities = grown;
    grown[certs->authorities_bytes] = '\n';
    memcpy(grown + certs->authorities_bytes + 1, text, n_bytes);
    certs->authorities_bytes += n_bytes + 1;
    grown[certs->authorities_bytes] = '\0';
    return 0;
}

static int add_client(struct certs *certs, int folder, const char *name, struct bh_error *error)
{
    char key[NAME_MAX + 1];
    (void)snprintf(key, sizeof(key), "%.*s.key", (int)(strlen(name) - strlen(".cert")), name);
    if (certs->client) {
        return 0; /* one pair is shown: the first that is listed */
    }
    return read_pem(folder, name, CERT_BYTES_MAX, &certs->client, &certs->client_bytes, error) < 0
               ? -1
               : read_pem(folder, key, CERT_BYTES_MAX, &certs->client_key, &certs->client_key_bytes, error);
}

static int load_folder(DIR *folder, struct certs *certs, struct bh_error *error)
{
    for (const struct dirent *entry; (entry = readdir(folder));) {
        int result = 0;
        if (ends_with(entry->d_name, ".crt")) {
            result = add_authority(certs, dirfd(folder), entry->d_name, error);
        } else if (ends_with(entry->d_name, ".cert")) {
            result = add_client(certs, dirfd(folder), entry->d_name, error);
        }
        if (result < 0) {
            return -1;
        }
    }
    return 0;
}

int certs_load(const struct origin *origin, struct certs *ret_certs, struct bh_error *error)
{
    *ret_certs = (struct certs){0};
    char short_name[URL_AUTHORITY_SIZE], full_name[URL_AUTHORITY_SIZE];
    (void)origin_authority(origin, short_name);
    (void)snprintf(full_name, sizeof(full_name), strchr(origin->host, ':') ? "[%s]:%u" : "%s:%u", origin->host,
                   origin->port);
    bh_autoclosedir DIR *all = NULL;
    if (open_folder(AT_FDCWD, CERTS_FOLDER, &all) < 0) {
        return 0;
    }
    for (const struct dirent *entry; (entry = readdir(all));) {
        if (strcmp(entry->d_name, short_name) != 0 && strcmp(entry->d_name, full_name) != 0) {
            continue;
        }
        bh_autoclosedir DIR *folder = NULL;
        if (open_folder(dirfd(all), entry->d_name, &folder) < 0) {
            return bh_error_errno(error, errno, "open certs.d/%s", entry->d_name);
        }
        if (load_folder(folder, ret_certs, error) < 0) {
            certs_clear(ret_certs);
            return bh_error_wrap(error, "read certs.d/%s", entry->d_name);
        }
    }
    return 0;
}

void certs_clear(struct certs *certs)
{
    if (certs->client_key) {
        explicit_bzero(certs->client_key, certs->client_key_bytes);
    }
    free(certs->authorities);
    free(certs->client);
    free(certs->client_key);
    *certs = (struct certs){0};
}
