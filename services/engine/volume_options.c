/* SPDX-License-Identifier: Apache-2.0
 *
 * Options of the local volume driver; see volume_options.h.
 */
#include "services/engine/volume_options.h"

#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/limits.h"
#include "common/size.h"

#define TMPFS_MODE 01777

struct words {
    const char *type, *o, *device, *size;
};

static int take_words(Bulkhead__KeyValue *const *options, size_t n_options, struct words *ret_words,
                      struct bh_error *error)
{
    *ret_words = (struct words){"", "", "", ""};
    const struct {
        const char *name;
        const char **slot;
    } known[] = {
        {"type", &ret_words->type}, {"o", &ret_words->o}, {"device", &ret_words->device}, {"size", &ret_words->size}};
    for (size_t i = 0; i < n_options; i++) {
        size_t k = 0;
        while (k < sizeof known / sizeof *known && strcmp(known[k].name, options[i]->key) != 0) {
            k++;
        }
        if (k == sizeof known / sizeof *known) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid option: \"%s\"", options[i]->key);
        }
        *known[k].slot = options[i]->value;
    }
    return 0;
}

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

/* Those that every kind of mount knows. 1 if it was one of them. */
static int apply_flag(const char *option, struct volume_plan *plan)
{
    static const char *const no_effect[] = {"",         "rw",    "nosuid",   "nodev", "private",
                                            "rprivate", "atime", "relatime", "async", "defaults"};
    if (strcmp(option, "ro") == 0) {
        plan->read_only = true;
        return 1;
    }
    if (strcmp(option, "noexec") == 0 || strcmp(option, "exec") == 0) {
        plan->no_exec = *option == 'n';
        return 1;
    }
    for (size_t i = 0; i < sizeof no_effect / sizeof *no_effect; i++) {
        if (strcmp(option, no_effect[i]) == 0) {
            return 1;
        }
    }
    return 0;
}

static int apply_tmpfs(const char *option, struct volume_plan *plan, struct bh_error *error)
{
    if (apply_flag(option, plan)) {
        return 0;
    }
    if ((strncmp(option, "size=", 5) == 0 && bh_size_parse(option + 5, &plan->tmpfs_bytes) == 0) ||
        (strncmp(option, "nr_inodes=", 10) == 0 && bh_size_parse(option + 10, &plan->tmpfs_inodes) == 0) ||
        (strncmp(option, "mode=", 5) == 0 && read_number(option + 5, 8, 07777, &plan->tmpfs_mode) == 0) ||
        (strncmp(option, "uid=", 4) == 0 && read_number(option + 4, 10, BH_TENANT_IDS - 1, &plan->tmpfs_uid) == 0) ||
        (strncmp(option, "gid=", 4) == 0 && read_number(option + 4, 10, BH_TENANT_IDS - 1, &plan->tmpfs_gid) == 0)) {
        return 0;
    }
    if (strcmp(option, "suid") == 0 || strcmp(option, "dev") == 0) {
        plan->allow_setuid = plan->allow_setuid || *option == 's';
        plan->allow_devices = plan->allow_devices || *option == 'd';
        return 0;
    }
    return bh_error_set(error, BH_INVALID_ARGUMENT,
                        "invalid option in o: \"%s\": a tmpfs has size=64m, mode=1777, uid=N and gid=N (up to %u), "
                        "nr_inodes=N, ro, rw, exec, noexec, suid, nosuid, dev and nodev",
                        option, BH_TENANT_IDS - 1);
}

static int apply_bind(const char *option, struct volume_plan *plan, bool *bind, struct bh_error *error)
{
    if (strcmp(option, "bind") == 0 || strcmp(option, "rbind") == 0) {
        *bind = true;
        plan->recursive = *option == 'r';
        return 0;
    }
    return apply_flag(option, plan) ? 0
                                    : bh_error_set(error, BH_INVALID_ARGUMENT,
                                                   "invalid option in o: \"%s\": a bind has bind, rbind, ro, rw, exec "
                                                   "and noexec",
                                                   option);
}

/* The comma-separated words of `o`. */
static int read_o(const char *o, struct volume_plan *plan, bool *bind, struct bh_error *error)
{
    bh_autofree char *copy = strdup(o);
    char *rest = copy;
    if (!copy) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "no memory for options");
    }
    for (char *option; (option = strsep(&rest, ",")) != NULL;) {
        if ((plan->kind == BULKHEAD__VOLUME_KIND__VOLUME_KIND_TMPFS ? apply_tmpfs(option, plan, error)
                                                                    : apply_bind(option, plan, bind, error)) < 0) {
            return -1;
        }
    }
    return 0;
}

static int read_mount(const struct words *words, struct volume_plan *plan, struct bh_error *error)
{
    bool bind = false;
    if (!*words->device) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "missing required option: \"device\"");
    }
    if (strcmp(words->type, "tmpfs") == 0) {
        plan->kind = BULKHEAD__VOLUME_KIND__VOLUME_KIND_TMPFS;
        plan->tmpfs_mode = TMPFS_MODE;
        return read_o(words->o, plan, &bind, error);
    }
    if (*words->type && strcmp(words->type, "none") != 0 && strcmp(words->type, "bind") != 0) {
        return bh_error_set(error, BH_UNIMPLEMENTED,
                            "volumes of type \"%s\" are not supported: type=tmpfs, or type=none with o=bind, are",
                            words->type);
    }
    plan->kind = BULKHEAD__VOLUME_KIND__VOLUME_KIND_BIND;
    plan->source = words->device;
    if (read_o(words->o, plan, &bind, error) < 0) {
        return -1;
    }
    if (!bind) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            *words->type ? "a volume of type none needs o=bind" : "missing required option: \"type\"");
    }
    return *words->device == '/'
               ? 0
               : bh_error_set(error, BH_INVALID_ARGUMENT, "option device=%s must be an absolute path", words->device);
}

int volume_options_read(Bulkhead__KeyValue *const *options, size_t n_options, struct volume_plan *ret_plan,
                        struct bh_error *error)
{
    struct words words;
    struct volume_plan plan = {.kind = BULKHEAD__VOLUME_KIND__VOLUME_KIND_FOLDER, .source = ""};
    if (take_words(options, n_options, &words, error) < 0) {
        return -1;
    }
    bool mounts = *words.type || *words.o || *words.device;
    if (mounts && *words.size) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "option size is for volumes without type, o and device; a tmpfs has o=size=%s", words.size);
    }
    if (mounts && read_mount(&words, &plan, error) < 0) {
        return -1;
    }
    if (*words.size) {
        plan.kind = BULKHEAD__VOLUME_KIND__VOLUME_KIND_DISK;
        if (bh_size_parse(words.size, &plan.size_bytes) < 0 || plan.size_bytes < BH_DISK_BYTES_MIN ||
            plan.size_bytes > BH_DISK_BYTES_MAX) {
            return bh_error_set(error, BH_INVALID_ARGUMENT,
                                "invalid option size=%s: it must be like 512m, between 1m and 16t", words.size);
        }
    }
    *ret_plan = plan;
    return 0;
}
