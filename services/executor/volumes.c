/* SPDX-License-Identifier: Apache-2.0
 *
 * Volumes on disk; see volumes.h. One is made under a name of its own and then renamed into its place, and renamed away
 * before it is emptied: whatever is in its place is whole.
 */
#include "volumes.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/digest.h"
#include "common/log.h"
#include "disk.h"
#include "policyd_executor.pb-c.h"
#include "project.h"
#include "remove.h"
#include "tmpfs_volumes.h"

struct place {
    char tenant[16], id[BH_DIGEST_HEX_SIZE];
    char fresh[BH_DIGEST_HEX_SIZE + 32], removed[BH_DIGEST_HEX_SIZE + 32]; /* beside the tenants' folders */
};

static void find_place(uint32_t tenant_uid, const uint8_t id[static 32], struct place *ret_place)
{
    struct bh_digest digits;
    memcpy(digits.bytes, id, sizeof(digits.bytes));
    (void)bh_digest_hex(&digits, ret_place->id);
    (void)snprintf(ret_place->tenant, sizeof(ret_place->tenant), "%u", tenant_uid);
    (void)snprintf(ret_place->fresh, sizeof(ret_place->fresh), ".new.%u.%s", tenant_uid, ret_place->id);
    (void)snprintf(ret_place->removed, sizeof(ret_place->removed), ".removed.%u.%s", tenant_uid, ret_place->id);
}

static int check_name(const Bulkhead__VolumeId *volume, struct bh_error *error)
{
    return volume && volume->id.len == 32 && volume->tenant_uid != UINT32_MAX
               ? 0
               : bh_error_set(error, BH_INVALID_ARGUMENT, "a volume is named by an id of 32 bytes and its tenant");
}

static int open_folder(int above, const char *name)
{
    return openat(above, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

int volume_open(const struct executor *executor, uint32_t tenant_uid, const uint8_t id[static 32], int *ret_folder,
                struct bh_error *error)
{
    struct place place;
    find_place(tenant_uid, id, &place);
    bh_autoclose int tenant = open_folder(executor->folders.volumes, place.tenant);
    *ret_folder = tenant >= 0 ? open_folder(tenant, place.id) : -1;
    return *ret_folder < 0 ? bh_error_errno(error, errno, "open the folder of volume %.12s", place.id) : 0;
}

/* ---- making ------------------------------------------------------------------------------------------ */

struct making {
    uint32_t tenant_uid, id_base, most;
    uint8_t id[32];
    Bulkhead__VolumeKind kind;
    uint64_t size_bytes;
};

static int count_volumes(int tenant, uint32_t *ret_count, struct bh_error *error)
{
    int copy = open_folder(tenant, ".");
    bh_autoclosedir DIR *folder = copy >= 0 ? fdopendir(copy) : NULL;
    if (!folder) {
        bh_close(&copy);
        return bh_error_errno(error, errno, "count the tenant's volumes");
    }
    *ret_count = 0;
    for (const struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
        *ret_count += entry->d_name[0] != '.';
    }
    return 0;
}

static int make_data_folder(int folder, const struct making *making, struct bh_error *error)
{
    return mkdirat(folder, VOLUME_DATA, 0755) < 0 ||
                   fchownat(folder, VOLUME_DATA, making->id_base, making->id_base, AT_SYMLINK_NOFOLLOW) < 0
               ? bh_error_errno(error, errno, "make the volume's data folder")
               : 0;
}

/* A folder with a project quota, where there is such a thing; else a disk. */
static int make_limited(int folder, const struct making *making, struct bh_error *error)
{
    if (!project_is_enforced(folder)) {
        return disk_make(folder, making->size_bytes, making->id_base, true, error);
    }
    if (disk_check_size(making->size_bytes, error) < 0 || make_data_folder(folder, making, error) < 0) {
        return -1;
    }
    bh_autoclose int data = open_folder(folder, VOLUME_DATA);
    return data < 0 ? bh_error_errno(error, errno, "open the volume's data folder")
                    : project_limit(data, making->size_bytes, error);
}

static int make_data(int folder, const struct making *making, struct bh_error *error)
{
    switch (making->kind) {
    case BULKHEAD__VOLUME_KIND__VOLUME_KIND_DISK:
        return make_limited(folder, making, error);
    case BULKHEAD__VOLUME_KIND__VOLUME_KIND_FOLDER:
        return make_data_folder(folder, making, error);
    default:
        return 0;
    }
}

/* ---- emptying ---------------------------------------------------------------------------------------- */

/* `name` is the volume's folder, renamed away or never put into its place. */
static int empty(int volumes, const char *name, struct bh_error *error)
{
    bh_autoclose int folder = open_folder(volumes, name);
    return folder >= 0 && project_release(folder, VOLUME_DATA, error) < 0 ? -1 : remove_tree(volumes, name, error);
}

/* ---- putting it in its place --------------------------------------------------------------------------- */

/* Whether there may be one volume more. */
static int check_quota(int tenant, const struct making *making, struct bh_error *error)
{
    uint32_t count = 0;
    if (making->most == 0) {
        return 0;
    }
    if (count_volumes(tenant, &count, error) < 0) {
        return -1;
    }
    return count < making->most ? 0
                                : bh_error_set(error, BH_PERMISSION_DENIED,
                                               "there are %u volumes already and no more are allowed (rule "
                                               "\"quotas\"); remove one first",
                                               count);
}

/* Counted again under the tenant's lock, since others are being made at the same time. */
static int put_in_place(int volumes, int tenant, const struct place *place, const struct making *making,
                        struct bh_error *error)
{
    if (flock(tenant, LOCK_EX) < 0) {
        return bh_error_errno(error, errno, "lock the tenant's folder of volumes");
    }
    int result = check_quota(tenant, making, error);
    if (result == 0 && renameat2(volumes, place->fresh, tenant, place->id, RENAME_NOREPLACE) < 0) {
        result = bh_error_errno(error, errno, "put a volume in its place");
    }
    (void)flock(tenant, LOCK_UN);
    return result;
}

static int make(const struct executor *executor, const struct making *making, struct bh_error *error)
{
    struct place place;
    int volumes = executor->folders.volumes;
    find_place(making->tenant_uid, making->id, &place);
    if (mkdirat(volumes, place.tenant, 0700) < 0 && errno != EEXIST) {
        return bh_error_errno(error, errno, "make the tenant's folder of volumes");
    }
    bh_autoclose int tenant = open_folder(volumes, place.tenant);
    if (tenant < 0) {
        return bh_error_errno(error, errno, "open the tenant's folder of volumes");
    }
    if (faccessat(tenant, place.id, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
        return 0;
    }
    if (check_quota(tenant, making, error) < 0) {
        return -1;
    }
    if (empty(volumes, place.fresh, error) < 0 || mkdirat(volumes, place.fresh, 0700) < 0) {
        return bh_error_errno(error, errno, "make a volume's folder");
    }
    bh_autoclose int folder = open_folder(volumes, place.fresh);
    if (folder < 0 || make_data(folder, making, error) < 0 || fsync(folder) < 0 ||
        put_in_place(volumes, tenant, &place, making, error) < 0) {
        struct bh_error ignored;
        int result = error->code != BH_OK ? -1 : bh_error_errno(error, errno, "make a volume's folder");
        (void)empty(volumes, place.fresh, &ignored);
        return result;
    }
    return 0;
}

static int make_work(struct executor *executor, void *argument, int answer_socket)
{
    struct job_answer answer = {0};
    (void)umask(022);
    (void)make(executor, argument, &answer.error);
    job_answer(answer_socket, &answer, -1);
    return 0;
}

static void answer_done(struct bh_request *request, const struct job_said *said)
{
    (void)said;
    Bulkhead__Done done = BULKHEAD__DONE__INIT;
    Bulkhead__ExecutorToPolicyd packet = BULKHEAD__EXECUTOR_TO_POLICYD__INIT;
    packet.body_case = BULKHEAD__EXECUTOR_TO_POLICYD__BODY_DONE;
    packet.done = &done;
    (void)bh_request_reply(request, &packet.base, NULL, 0);
}

static const struct job_kind make_job = {.name = "make a volume", .work = make_work, .done = answer_done};

int volume_make(struct executor *executor, struct bh_request *request, const Bulkhead__MakeVolume *message,
                struct bh_error *error)
{
    bool sized = message->kind == BULKHEAD__VOLUME_KIND__VOLUME_KIND_DISK;
    uint32_t end;
    if (check_name(message->volume, error) < 0) {
        return -1;
    }
    if (message->id_base < VOLUME_ID_BASE_MIN || __builtin_add_overflow(message->id_base, BH_TENANT_IDS, &end)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "a volume's owner must be one of the tenants' ids, from %u up",
                            VOLUME_ID_BASE_MIN);
    }
    if (sized != (message->size_bytes > 0)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "a volume that is a disk has a size, and no other has");
    }
    struct making making = {.tenant_uid = message->volume->tenant_uid,
                            .id_base = message->id_base,
                            .most = message->most,
                            .kind = message->kind,
                            .size_bytes = message->size_bytes};
    memcpy(making.id, message->volume->id.data, sizeof(making.id));
    return job_start(executor, &make_job, making.id, &making, request, error);
}

/* ---- removing ---------------------------------------------------------------------------------------- */

static int empty_in_background(int volumes, const char *name, struct bh_error *error)
{
    pid_t pid = fork();
    if (pid < 0) {
        return bh_error_errno(error, errno, "fork the removal of a volume");
    }
    if (pid == 0) {
        struct bh_error failure;
        int result = empty(volumes, name, &failure);
        if (result < 0) {
            bh_log_failure(BH_LOG_ERROR, &failure, "what is left of a removed volume stays until the next start");
        }
        _exit(result < 0);
    }
    return 0;
}

int volume_drop(struct executor *executor, const Bulkhead__DropVolume *message, struct bh_error *error)
{
    struct place place;
    if (check_name(message->volume, error) < 0) {
        return -1;
    }
    if (job_is_running(executor, message->volume->id.data)) {
        return bh_error_set(error, BH_FAILED_PRECONDITION, "another operation on this volume is not finished yet");
    }
    find_place(message->volume->tenant_uid, message->volume->id.data, &place);
    tmpfs_volumes_drop(executor, message->volume->tenant_uid, message->volume->id.data);
    int volumes = executor->folders.volumes;
    bh_autoclose int tenant = open_folder(volumes, place.tenant);
    if (tenant < 0 || renameat(tenant, place.id, volumes, place.removed) < 0) {
        return errno == ENOENT ? 0 : bh_error_errno(error, errno, "remove volume %.12s", place.id);
    }
    (void)unlinkat(volumes, place.tenant, AT_REMOVEDIR); /* if it was the last one */
    return empty_in_background(volumes, place.removed, error);
}

int volumes_remove_leftovers(const struct executor *executor, struct bh_error *error)
{
    int copy = open_folder(executor->folders.volumes, ".");
    bh_autoclosedir DIR *folder = copy >= 0 ? fdopendir(copy) : NULL;
    if (!folder) {
        bh_close(&copy);
        return bh_error_errno(error, errno, "list the folder of volumes");
    }
    for (const struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
        bool leftover = strncmp(entry->d_name, ".new.", 5) == 0 || strncmp(entry->d_name, ".removed.", 9) == 0;
        if (leftover && empty_in_background(executor->folders.volumes, entry->d_name, error) < 0) {
            return -1;
        }
    }
    return 0;
}

/* ---- listing ----------------------------------------------------------------------------------------- */

static void list_tenant(int volumes, const char *name, uint32_t tenant_uid,
                        void (*each)(uint32_t tenant_uid, const uint8_t id[static 32], void *argument), void *argument)
{
    int copy = open_folder(volumes, name);
    bh_autoclosedir DIR *folder = copy >= 0 ? fdopendir(copy) : NULL;
    if (!folder) {
        bh_close(&copy);
        return;
    }
    for (const struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
        char text[BH_DIGEST_TEXT_SIZE];
        struct bh_digest id;
        (void)snprintf(text, sizeof(text), "sha256:%.64s", entry->d_name); /* an id has a digest's form */
        if (strlen(entry->d_name) == 64 && bh_digest_parse(text, &id, NULL) == 0) {
            each(tenant_uid, id.bytes, argument);
        }
    }
}

int volumes_list(const struct executor *executor,
                 void (*each)(uint32_t tenant_uid, const uint8_t id[static 32], void *argument), void *argument,
                 struct bh_error *error)
{
    int copy = open_folder(executor->folders.volumes, ".");
    bh_autoclosedir DIR *folder = copy >= 0 ? fdopendir(copy) : NULL;
    if (!folder) {
        bh_close(&copy);
        return bh_error_errno(error, errno, "list the folder of volumes");
    }
    for (const struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
        char *end = NULL;
        unsigned long uid = entry->d_name[0] == '.' ? 0 : strtoul(entry->d_name, &end, 10);
        if (end && *end == '\0' && uid < UINT32_MAX) {
            list_tenant(executor->folders.volumes, entry->d_name, (uint32_t)uid, each, argument);
        }
    }
    return 0;
}
