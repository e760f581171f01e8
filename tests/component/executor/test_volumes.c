/* SPDX-License-Identifier: Apache-2.0
 *
 * Volumes and disks: made, mounted, shared, measured and removed by a real executor; hostile trees lead nowhere.
 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/digest.h"
#include "stage.h"

#define TENANT  54321U
#define OTHER   54322U
#define WAIT_MS 60000U

TestSuite(volumes, .init = stage_open, .fini = stage_close, .timeout = 120);

static char output[65536];
static uint8_t id[32];
static Bulkhead__Mount mount;
static Bulkhead__Mount *mounts[] = {&mount};
static struct bh_error error;

static int ask(Bulkhead__PolicydToExecutor *packet, uint32_t kind, struct bh_message **ret_answer)
{
    bh_error_clear(&error);
    return bh_call(stage.channels[BH_ROLE_POLICYD], &packet->base, NULL, 0, WAIT_MS, kind, ret_answer, &error);
}

static Bulkhead__VolumeId name_of(uint32_t tenant_uid)
{
    Bulkhead__VolumeId volume = BULKHEAD__VOLUME_ID__INIT;
    volume.id = (ProtobufCBinaryData){.len = sizeof(id), .data = id};
    volume.tenant_uid = tenant_uid;
    return volume;
}

static int make(uint32_t tenant_uid, Bulkhead__VolumeKind kind, uint64_t size_bytes, uint32_t most)
{
    Bulkhead__VolumeId volume = name_of(tenant_uid);
    Bulkhead__MakeVolume message = BULKHEAD__MAKE_VOLUME__INIT;
    Bulkhead__PolicydToExecutor packet = BULKHEAD__POLICYD_TO_EXECUTOR__INIT;
    message.volume = &volume;
    message.kind = kind;
    message.size_bytes = size_bytes;
    message.id_base = STAGE_ID_BASE;
    message.most = most;
    packet.body_case = BULKHEAD__POLICYD_TO_EXECUTOR__BODY_MAKE_VOLUME;
    packet.make_volume = &message;
    return ask(&packet, BULKHEAD__EXECUTOR_TO_POLICYD__BODY_DONE, NULL);
}

static int new_volume(uint32_t tenant_uid, Bulkhead__VolumeKind kind, uint64_t size_bytes)
{
    cr_assert_eq(getrandom(id, sizeof(id), 0), (ssize_t)sizeof(id));
    return make(tenant_uid, kind, size_bytes, 0);
}

static int drop(uint32_t tenant_uid)
{
    Bulkhead__VolumeId volume = name_of(tenant_uid);
    Bulkhead__DropVolume message = BULKHEAD__DROP_VOLUME__INIT;
    Bulkhead__PolicydToExecutor packet = BULKHEAD__POLICYD_TO_EXECUTOR__INIT;
    message.volume = &volume;
    packet.body_case = BULKHEAD__POLICYD_TO_EXECUTOR__BODY_DROP_VOLUME;
    packet.drop_volume = &message;
    return ask(&packet, BULKHEAD__EXECUTOR_TO_POLICYD__BODY_DONE, NULL);
}

static int measure(uint32_t tenant_uid, uint64_t *ret_used, uint64_t *ret_limit)
{
    bh_automessage struct bh_message *answer = NULL;
    Bulkhead__VolumeId volume = name_of(tenant_uid);
    Bulkhead__MeasureVolume message = BULKHEAD__MEASURE_VOLUME__INIT;
    Bulkhead__PolicydToExecutor packet = BULKHEAD__POLICYD_TO_EXECUTOR__INIT;
    message.volume = &volume;
    message.id_base = STAGE_ID_BASE;
    packet.body_case = BULKHEAD__POLICYD_TO_EXECUTOR__BODY_MEASURE_VOLUME;
    packet.measure_volume = &message;
    if (ask(&packet, BULKHEAD__EXECUTOR_TO_POLICYD__BODY_DISK_MEASURED, &answer) < 0) {
        return -1;
    }
    const Bulkhead__DiskMeasured *measured = bh_message_body(answer);
    *ret_used = measured->used_bytes;
    *ret_limit = measured->limit_bytes;
    return 0;
}

static void init(struct container *container, const char *script)
{
    container_init(container, script);
    mount = (Bulkhead__Mount)BULKHEAD__MOUNT__INIT;
    mount.kind = BULKHEAD__MOUNT_KIND__MOUNT_KIND_VOLUME;
    mount.volume = (ProtobufCBinaryData){.len = sizeof(id), .data = id};
    mount.volume_name = "data";
    mount.target = "/data";
    mount.no_copy = true;
    container->spec.tenant_uid = TENANT;
    container->spec.identity_binds = false;
    container->spec.mounts = mounts;
    container->spec.n_mounts = 1;
}

static const char *path_of(const char *rest)
{
    static char path[256];
    char hex[BH_DIGEST_HEX_SIZE];
    struct bh_digest digest;
    memcpy(digest.bytes, id, sizeof(id));
    (void)snprintf(path, sizeof(path), "%s/%d/%u/%s%s", stage.folder, BH_FOLDER_VOLUMES, TENANT,
                   bh_digest_hex(&digest, hex), rest);
    return path;
}

static void expect_gone(void)
{
    struct stat status;
    cr_expect_eq(drop(TENANT), 0, "%s", error.message);
    cr_expect_lt(lstat(path_of(""), &status), 0, "%s is still there", path_of(""));
    cr_expect_eq(drop(TENANT), 0, "what is absent is no error");
}

Test(volumes, a_folder_is_the_containers_roots)
{
    struct container container;
    struct stat status;
    cr_assert_eq(new_volume(TENANT, BULKHEAD__VOLUME_KIND__VOLUME_KIND_FOLDER, 0), 0, "%s", error.message);
    cr_assert_eq(make(TENANT, BULKHEAD__VOLUME_KIND__VOLUME_KIND_FOLDER, 0, 0), 0, "twice is no error");
    init(&container, "stat -c %u:%g /data; echo kept >/data/file");
    cr_expect_eq(container_run(&container, output, sizeof(output)), 0, "%s%s", output, container.error.message);
    cr_expect_str_eq(output, "0:0\n");
    cr_assert_eq(lstat(path_of("/_data/file"), &status), 0);
    cr_expect_eq(status.st_uid, STAGE_ID_BASE);
    cr_assert_eq(lstat(path_of(""), &status), 0);
    cr_expect(status.st_uid == 0 && (status.st_mode & 077) == 0, "nobody but root reaches a volume");
    stage_restart();
    init(&container, "cat /data/file; echo x >/data/file");
    mount.read_only = true;
    cr_expect_eq(container_run(&container, output, sizeof(output)), 1, "%s", container.error.message);
    cr_expect(strncmp(output, "kept\n", 5) == 0, "%s", output);
    expect_gone();
}

Test(volumes, anothers_is_not_there)
{
    struct container container;
    cr_assert_eq(new_volume(TENANT, BULKHEAD__VOLUME_KIND__VOLUME_KIND_FOLDER, 0), 0, "%s", error.message);
    init(&container, "true");
    container.spec.tenant_uid = OTHER;
    cr_expect_eq(container_run(&container, output, sizeof(output)), -1, "another tenant's volume was mounted");
    cr_expect_eq(container.error.code, BH_NOT_FOUND, "%s", container.error.message);
    cr_expect_eq(drop(OTHER), 0, "absent for them");
    struct stat status;
    cr_expect_eq(lstat(path_of("/_data"), &status), 0, "and still there");
    uint64_t used, limit;
    cr_expect_eq(measure(OTHER, &used, &limit), -1);
    cr_expect_eq(error.code, BH_NOT_FOUND, "%s", error.message);
    expect_gone();
}

Test(volumes, requests_that_make_no_sense)
{
    cr_expect_eq(new_volume(TENANT, BULKHEAD__VOLUME_KIND__VOLUME_KIND_FOLDER, 1 << 20), -1);
    cr_expect_eq(new_volume(TENANT, BULKHEAD__VOLUME_KIND__VOLUME_KIND_DISK, 0), -1);
    cr_expect_eq(new_volume(TENANT, BULKHEAD__VOLUME_KIND__VOLUME_KIND_DISK, 4096), -1);
    cr_expect_eq(error.code, BH_INVALID_ARGUMENT, "%s", error.message);
    cr_expect_eq(new_volume(UINT32_MAX, BULKHEAD__VOLUME_KIND__VOLUME_KIND_FOLDER, 0), -1);
    cr_expect_eq(new_volume(TENANT, BULKHEAD__VOLUME_KIND__VOLUME_KIND_FOLDER, 0), 0);
    uint8_t first[32];
    memcpy(first, id, sizeof(id));
    id[0] ^= 1;
    cr_expect_eq(make(TENANT, BULKHEAD__VOLUME_KIND__VOLUME_KIND_FOLDER, 0, 1), -1, "the tenant's quota holds");
    cr_expect_eq(error.code, BH_PERMISSION_DENIED, "%s", error.message);
    memcpy(id, first, sizeof(id));
    expect_gone();
    struct container container;
    static const char *const wrong[] = {"/etc", "..", "a/../b", "a/.."};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        init(&container, "true");
        mount.subpath = (char *)(uintptr_t)wrong[i];
        cr_expect_eq(container_run(&container, output, sizeof(output)), -1, "subpath %s", wrong[i]);
        cr_expect_eq(container.error.code, BH_INVALID_ARGUMENT, "%s", container.error.message);
    }
}

/* What lies in a volume was made by containers: its links are resolved inside it and nowhere else. */
Test(volumes, a_subpath_never_leaves_the_volume)
{
    struct container container;
    cr_assert_eq(new_volume(TENANT, BULKHEAD__VOLUME_KIND__VOLUME_KIND_FOLDER, 0), 0, "%s", error.message);
    init(&container, "mkdir -p /data/sub; echo in >/data/sub/f; cd /data; ln -s /etc out; ln -s ../../../.. up; "
                     "ln -s /proc/self/root magic; echo mine >/data/passwd");
    container.args[2] = "mkdir -p /data/sub /data/etc; echo in >/data/sub/f; echo own >/data/etc/passwd; exec 3<.; "
                        "/bin/busybox ln -s /etc /data/out; /bin/busybox ln -s ../../../../etc /data/up; "
                        "/bin/busybox ln -s /proc/self/root /data/magic";
    cr_expect_eq(container_run(&container, output, sizeof(output)), 0, "%s%s", output, container.error.message);
    static const struct {
        const char *subpath, *script, *says;
    } rows[] = {
        {"sub", "cat /data/f", "in\n"}, {"out", "cat /data/passwd", "own\n"}, {"up", "cat /data/passwd", "own\n"}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        init(&container, rows[i].script);
        mount.subpath = (char *)(uintptr_t)rows[i].subpath;
        cr_expect_eq(container_run(&container, output, sizeof(output)), 0, "%s: %s%s", rows[i].subpath, output,
                     container.error.message);
        cr_expect_str_eq(output, rows[i].says);
    }
    init(&container, "true");
    mount.subpath = "magic";
    cr_expect_eq(container_run(&container, output, sizeof(output)), -1, "%s", output);
    init(&container, "true");
    mount.subpath = "absent";
    cr_expect_eq(container_run(&container, output, sizeof(output)), -1);
    cr_expect_eq(container.error.code, BH_NOT_FOUND, "%s", container.error.message);
    expect_gone();
}

Test(volumes, a_disk_holds_no_more_than_its_size)
{
    struct container container;
    uint64_t used, limit;
    cr_assert_eq(new_volume(TENANT, BULKHEAD__VOLUME_KIND__VOLUME_KIND_DISK, 8 << 20), 0, "%s", error.message);
    init(&container, "stat -c %u /data; dd if=/dev/zero of=/data/big bs=1M count=16 2>&1 | grep -o 'No space.*'");
    cr_expect_eq(container_run(&container, output, sizeof(output)), 0, "%s%s", output, container.error.message);
    cr_expect_str_eq(output, "0\nNo space left on device\n");
    cr_expect_eq(measure(TENANT, &used, &limit), 0, "%s", error.message);
    cr_expect(limit > 6 << 20 && limit <= 8 << 20 && used > 6 << 20 && used <= limit, "%llu of %llu",
              (unsigned long long)used, (unsigned long long)limit);
    expect_gone();
}

Test(volumes, a_tmpfs_is_shared_while_it_is_used)
{
    struct container first, second;
    cr_assert_eq(new_volume(TENANT, BULKHEAD__VOLUME_KIND__VOLUME_KIND_TMPFS, 0), 0, "%s", error.message);
    init(&first, "echo there >/data/file; exec sleep 1000");
    mount.volume_tmpfs = true;
    mount.tmpfs_bytes = 1 << 20;
    mount.tmpfs_mode = 0700;
    cr_assert_eq(container_start(&first), 0, "%s", first.error.message);
    init(&second,
         "i=0; while [ ! -s /data/file ] && [ $i -lt 100 ]; do sleep 0.05; i=$((i + 1)); done; cat /data/file");
    mount.volume_tmpfs = true;
    cr_expect_eq(container_run(&second, output, sizeof(output)), 0, "%s%s", output, second.error.message);
    cr_expect_str_eq(output, "there\n");
    cr_assert_eq(ask_signal(&first, 9, &error), 0, "%s", error.message);
    cr_expect_eq(container_wait(&first), 137);
    container_remove(&first);
    init(&second, "ls /data | wc -l");
    mount.volume_tmpfs = true;
    cr_expect_eq(container_run(&second, output, sizeof(output)), 0, "%s", second.error.message);
    cr_expect_str_eq(output, "0\n");
    expect_gone();
}

/* The walk that measures a folder follows no link, enters nothing above, and gives a tree up that is too deep. */
Test(volumes, hostile_trees_are_measured_or_given_up)
{
    struct container container;
    uint64_t used = 0, limit = 0;
    cr_assert_eq(new_volume(TENANT, BULKHEAD__VOLUME_KIND__VOLUME_KIND_FOLDER, 0), 0, "%s", error.message);
    init(&container, "cd /data; dd if=/dev/zero of=a bs=1k count=100 2>/dev/null; /bin/busybox ln a b; mkdir -p d/e; "
                     "/bin/busybox ln -s / link; /bin/busybox mkfifo pipe; echo 12345 >d/e/f; chmod 000 d");
    cr_expect_eq(container_run(&container, output, sizeof(output)), 0, "%s%s", output, container.error.message);
    cr_expect_eq(measure(TENANT, &used, &limit), 0, "%s", error.message);
    cr_expect_eq(used, 100 * 1024 + 6, "%llu", (unsigned long long)used);
    cr_expect_eq(limit, 0);
    init(&container, "cd /data; i=0; while [ $i -lt 300 ]; do mkdir x && cd x || exit 1; i=$((i + 1)); done");
    cr_expect_eq(container_run(&container, output, sizeof(output)), 0, "%s%s", output, container.error.message);
    cr_expect_eq(measure(TENANT, &used, &limit), -1);
    cr_expect_eq(error.code, BH_RESOURCE_EXHAUSTED, "%s", error.message);
    expect_gone();
}

Test(volumes, a_containers_own_files_have_a_limit)
{
    struct container container;
    init(&container, "dd if=/dev/zero of=/big bs=1M count=16 2>&1 | grep -o 'No space.*'; stat -c %u /");
    container.spec.n_mounts = 0;
    container.spec.disk_bytes = 8 << 20;
    cr_expect_eq(container_run(&container, output, sizeof(output)), 0, "%s%s", output, container.error.message);
    cr_expect_str_eq(output, "No space left on device\n0\n");
    init(&container, "dd if=/dev/zero of=/big bs=1M count=4 2>/dev/null; echo $?; stat -c %u /");
    container.spec.n_mounts = 0;
    container.spec.disk_bytes = 8 << 20;
    container.spec.ephemeral = true;
    cr_expect_eq(container_run(&container, output, sizeof(output)), 0, "%s%s", output, container.error.message);
    cr_expect_str_eq(output, "0\n0\n");
}

Test(volumes, what_is_half_made_or_half_removed_goes_at_the_start)
{
    char path[256];
    struct stat status;
    (void)snprintf(path, sizeof(path), "%s/%d/.removed.1.x", stage.folder, BH_FOLDER_VOLUMES);
    cr_assert_eq(mkdir(path, 0700), 0);
    stage_restart();
    for (int i = 0; i < 200 && lstat(path, &status) == 0; i++) {
        (void)usleep(20000);
    }
    cr_expect_lt(lstat(path, &status), 0);
}
