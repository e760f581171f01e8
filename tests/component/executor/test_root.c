/* SPDX-License-Identifier: Apache-2.0
 *
 * Roots that lie: links where we mount, and layers as only an overlay stacks them.
 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "stage.h"

TestSuite(root, .init = stage_open, .fini = stage_close, .timeout = 120);

static char output[65536];

/* What CVE-2019-16884, CVE-2023-27561 and CVE-2025-52881 did: /proc is somewhere else. */
Test(root, proc_sys_and_dev_that_are_links_are_refused)
{
    static const char *const names[] = {"proc", "sys", "dev"};
    static const char *const targets[] = {"/tmp", "/proc", "../../..", "nowhere"};
    for (size_t i = 0; i < 3; i++) {
        for (size_t j = 0; j < 4; j++) {
            struct container container;
            uint8_t number = (uint8_t)(10 + i * 4 + j);
            stage_link_layer(number, names[i], targets[j]);
            container_init(&container, "echo ran");
            container_add_layer(&container, number);
            cr_expect_eq(container_run(&container, output, sizeof(output)), -1, "/%s -> %s ran", names[i], targets[j]);
            cr_expect_eq(container.error.code, BH_FAILED_PRECONDITION, "%s", container.error.message);
        }
    }
}

Test(root, a_file_where_a_folder_must_be)
{
    struct container container;
    stage_file_layer(2, "proc", "not a folder", 0644);
    container_init(&container, "echo ran");
    container_add_layer(&container, 2);
    cr_expect_eq(container_run(&container, output, sizeof(output)), -1);
    cr_expect_eq(container.error.code, BH_FAILED_PRECONDITION, "%s", container.error.message);
}

/* Mount targets resolve inside the root, wherever the image's links point. */
Test(root, targets_through_links_stay_inside)
{
    struct container container;
    Bulkhead__Mount mount = BULKHEAD__MOUNT__INIT, *mounts[] = {&mount};
    char outside[128], inside[256];
    (void)snprintf(outside, sizeof(outside), "%s/victim", stage.folder);
    cr_assert_eq(mkdir(outside, 0755), 0);
    stage_link_layer(2, "link", stage.folder);
    (void)snprintf(inside, sizeof(inside), "%s/victim/keep", stage.folder + 1);
    stage_file_layer(3, inside, "", 0644);
    container_init(&container, "touch /link/victim/inside && ls -d /tmp/bh-*/victim/inside");
    container_add_layer(&container, 2);
    container_add_layer(&container, 3);
    mount.kind = BULKHEAD__MOUNT_KIND__MOUNT_KIND_TMPFS;
    mount.target = "/link/victim";
    mount.tmpfs_mode = 01777;
    container.spec.mounts = mounts;
    container.spec.n_mounts = 1;
    cr_expect_eq(container_run(&container, output, sizeof(output)), 0, "%s%s", output, container.error.message);
    (void)strcat(outside, "/inside");
    cr_expect_neq(access(outside, F_OK), 0, "the file is outside");
}

Test(root, nothing_is_mounted_into_proc)
{
    struct container container;
    Bulkhead__Mount mount = BULKHEAD__MOUNT__INIT, *mounts[] = {&mount};
    stage_link_layer(2, "sneaky", "/proc/self");
    container_init(&container, "echo ran");
    container_add_layer(&container, 2);
    mount.kind = BULKHEAD__MOUNT_KIND__MOUNT_KIND_TMPFS;
    mount.target = "/sneaky/attr";
    mount.tmpfs_mode = 0755;
    container.spec.mounts = mounts;
    container.spec.n_mounts = 1;
    cr_expect_eq(container_run(&container, output, sizeof(output)), -1);
    cr_expect_eq(container.error.code, BH_INVALID_ARGUMENT, "%s", container.error.message);
}

Test(root, layers_stack_and_the_upper_is_the_containers)
{
    struct container container;
    stage_file_layer(2, "etc/what", "lower\n", 0644);
    stage_file_layer(3, "etc/what", "upper\n", 0644);
    container_init(&container, "cat /etc/what; echo own > /etc/what; cat /etc/what; stat -c %u:%g /etc/what /");
    container_add_layer(&container, 2);
    container_add_layer(&container, 3);
    cr_expect_eq(container_run(&container, output, sizeof(output)), 0, "%s", container.error.message);
    cr_expect_str_eq(output, "upper\nown\n0:0\n0:0\n");
    container_init(&container, "cat /etc/what");
    container_add_layer(&container, 2);
    cr_expect_eq(container_run(&container, output, sizeof(output)), 0);
    cr_expect_str_eq(output, "lower\n", "one container's changes are another's");
}

Test(root, what_it_wrote_is_there_when_it_starts_again)
{
    struct container container;
    container_init(&container, "cat /root/kept 2>/dev/null; echo kept > /root/kept");
    cr_assert_eq(container_start(&container), 0, "%s", container.error.message);
    cr_expect_eq(container_wait(&container), 0);
    bh_channel_free(container.monitor);
    bh_close(&container.output);
    bh_close(&container.errors);
    bh_close(&container.standard_input);
    cr_expect_eq(container_run(&container, output, sizeof(output)), 0, "%s", container.error.message);
    cr_expect_str_eq(output, "kept\n");
}

Test(root, read_only)
{
    struct container container;
    Bulkhead__Mount mount = BULKHEAD__MOUNT__INIT, *mounts[] = {&mount};
    mount.kind = BULKHEAD__MOUNT_KIND__MOUNT_KIND_TMPFS;
    mount.target = "/scratch";
    mount.tmpfs_bytes = 1 << 20;
    mount.tmpfs_mode = 0700;
    container_init(&container, "touch /x 2>&1; touch /scratch/x && echo scratch; stat -c %a /scratch; "
                               "dd if=/dev/zero of=/scratch/big bs=1M count=2 2>&1 | grep -c 'No space'");
    container.spec.read_only_root = true;
    container.spec.mounts = mounts;
    container.spec.n_mounts = 1;
    cr_expect_eq(container_run(&container, output, sizeof(output)), 0, "%s", container.error.message);
    cr_expect_str_eq(output, "touch: /x: Read-only file system\nscratch\n700\n1\n");
}

Test(root, layers_that_are_not_the_stores)
{
    struct container container;
    char path[160], hex[65];
    container_init(&container, "true");
    container_add_layer(&container, 99);
    cr_expect_eq(container_run(&container, output, sizeof(output)), -1);
    cr_expect_eq(container.error.code, BH_NOT_FOUND, "%s", container.error.message);
    stage_file_layer(2, "x", "x", 0644);
    memset(hex, '\0', sizeof(hex));
    for (size_t i = 0; i < 32; i++) {
        memcpy(hex + 2 * i, "02", 2);
    }
    (void)snprintf(path, sizeof(path), "%s/%d/%s", stage.folder, BH_FOLDER_LAYERS, hex);
    cr_assert_eq(chmod(path, 0600), 0);
    container_init(&container, "true");
    container_add_layer(&container, 2);
    cr_expect_eq(container_run(&container, output, sizeof(output)), -1, "a writable layer was mounted");
    cr_expect_eq(container.error.code, BH_DATA_LOSS, "%s", container.error.message);
    cr_assert(chmod(path, 0400) == 0 && chown(path, 0, 0) == 0);
    cr_expect_eq(container_run(&container, output, sizeof(output)), -1, "somebody else's layer was mounted");
    cr_assert(unlink(path) == 0 && symlink("/etc/passwd", path) == 0);
    cr_expect_eq(container_run(&container, output, sizeof(output)), -1, "a link was followed");
    cr_assert_eq(unlink(path), 0);
}

Test(root, a_layer_that_is_no_image)
{
    struct container container;
    char path[160], hex[65] = "";
    for (size_t i = 0; i < 32; i++) {
        memcpy(hex + 2 * i, "07", 3);
    }
    (void)snprintf(path, sizeof(path), "%s/%d/%s", stage.folder, BH_FOLDER_LAYERS, hex);
    bh_autoclose int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0400);
    cr_assert(fd >= 0 && ftruncate(fd, 8192) == 0 && fchown(fd, 0x6fee0000U + BH_ROLE_STORE, 0) == 0);
    container_init(&container, "true");
    container_add_layer(&container, 7);
    cr_expect_eq(container_run(&container, output, sizeof(output)), -1);
    cr_expect(strstr(container.error.message, hex), "%s", container.error.message);
    cr_assert_eq(unlink(path), 0);
}
