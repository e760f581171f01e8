/* SPDX-License-Identifier: Apache-2.0
 *
 * HostConfig.Tmpfs, and the options of every tmpfs that a client asks for.
 */
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/limits.h"
#include "common/size.h"
#include "mounts.h"

static int read_number(const char *text, int base, unsigned long max, uint32_t *ret_number)
{
    char *end;
    unsigned long number = strtoul(text, &end, base);
    if (*text < '0' || *text > '9' || *end || number > max) {
        return -1;
    }
    *ret_number = (uint32_t)number;
    return 0;
}

/* "name=value". 1: it was one of these; 0: not; -1: its value is wrong. */
static int apply_value(Bulkhead__Mount *mount, const char *option)
{
    const char *value = strchr(option, '=') + 1;
    size_t length = (size_t)(value - option);
    int result;
    if (strncmp(option, "size=", length) == 0) {
        result = bh_size_parse(value, &mount->tmpfs_bytes);
    } else if (strncmp(option, "nr_inodes=", length) == 0) {
        result = bh_size_parse(value, &mount->tmpfs_inodes);
    } else if (strncmp(option, "mode=", length) == 0) {
        result = read_number(value, 8, 07777, &mount->tmpfs_mode);
    } else if (strncmp(option, "uid=", length) == 0) {
        result = read_number(value, 10, BH_TENANT_IDS - 1, &mount->tmpfs_uid);
    } else if (strncmp(option, "gid=", length) == 0) {
        result = read_number(value, 10, BH_TENANT_IDS - 1, &mount->tmpfs_gid);
    } else {
        return 0;
    }
    return result < 0 ? -1 : 1;
}

static bool apply_flag(Bulkhead__Mount *mount, const char *option)
{
    static const char *const no_effect[] = {"",           "rprivate", "private",    "async",
                                            "sync",       "atime",    "noatime",    "diratime",
                                            "nodiratime", "relatime", "norelatime", "strictatime"};
    const bool no = strncmp(option, "no", 2) == 0;
    const char *word = no ? option + 2 : option;
    if (strcmp(option, "ro") == 0 || strcmp(option, "rw") == 0) {
        mount->read_only = option[1] == 'o';
        return true;
    }
    if (strcmp(word, "exec") == 0) {
        mount->no_exec = no;
        return true;
    }
    if (strcmp(word, "suid") == 0) {
        mount->allow_setuid = !no;
        return true;
    }
    if (strcmp(word, "dev") == 0) {
        mount->allow_devices = !no;
        return true;
    }
    for (size_t i = 0; i < sizeof(no_effect) / sizeof(no_effect[0]); i++) {
        if (strcmp(option, no_effect[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* The defaults are Docker's: noexec,nosuid,nodev. */
int tmpfs_apply_option(Bulkhead__Mount *mount, const char *option, struct bh_error *error)
{
    int applied = strchr(option, '=') ? apply_value(mount, option) : apply_flag(mount, option);
    if (applied > 0) {
        return 0;
    }
    return bh_error_set(
        error, BH_INVALID_ARGUMENT,
        "invalid tmpfs option \"%s\": it must be like size=64m, mode=1777, uid=N, gid=N, nr_inodes=N, ro, "
        "rw, exec, noexec, suid, nosuid, dev or nodev",
        option);
}

int tmpfs_add(struct create *create, const char *target, Bulkhead__Mount **ret_mount, struct bh_error *error)
{
    if (mount_add(create, BULKHEAD__MOUNT_KIND__MOUNT_KIND_TMPFS, target, ret_mount, error) < 0) {
        return -1;
    }
    (*ret_mount)->tmpfs_mode = 01777;
    (*ret_mount)->no_exec = true;
    return 0;
}

static int read_one(struct create *create, const Bulkhead__KeyValue *pair, struct bh_error *error)
{
    Bulkhead__Mount *mount;
    bh_autofree char *copy = strdup(pair->value);
    char *rest = copy;
    if (!copy) {
        return out_of_memory(error);
    }
    if (tmpfs_add(create, pair->key, &mount, error) < 0 || set_string(&mount->tmpfs_text, pair->value, error) < 0) {
        return -1;
    }
    for (char *option; (option = strsep(&rest, ",")) != NULL;) {
        if (tmpfs_apply_option(mount, option, error) < 0) {
            return -1;
        }
    }
    return 0;
}

int read_tmpfs(struct create *create, const json_t *value, const char *where, struct bh_error *error)
{
    Bulkhead__KeyValue **pairs = NULL;
    size_t n_pairs = 0;
    int result = take_map(value, where, &n_pairs, &pairs, error);
    for (size_t i = 0; result == 0 && i < n_pairs; i++) {
        result = read_one(create, pairs[i], error);
    }
    for (size_t i = 0; i < n_pairs; i++) {
        bulkhead__key_value__free_unpacked(pairs[i], NULL);
    }
    free(pairs);
    return result;
}
