/* SPDX-License-Identifier: Apache-2.0
 *
 * Bind mounts: with the tenant's own rights, and with the tenant's own ids.
 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "stage.h"

#define TENANT 54321U

TestSuite(binds, .init = stage_open, .fini = stage_close, .timeout = 120);

static char output[65536];
static char source[128];
static Bulkhead__Mount mount;
static Bulkhead__Mount *mounts[] = {&mount};

static void make_source(const char *name, uint32_t owner, mode_t mode)
{
    (void)snprintf(source, sizeof(source), "%s/%s", stage.folder, name);
    cr_assert(mkdir(source, 0700) == 0 && chown(source, owner, owner) == 0 && chmod(source, mode) == 0);
}

static void init(struct container *container, const char *script, bool root_tenant)
{
    container_init(container, script);
    mount = (Bulkhead__Mount)BULKHEAD__MOUNT__INIT;
    mount.kind = BULKHEAD__MOUNT_KIND__MOUNT_KIND_BIND;
    mount.source = source;
    mount.target = "/data";
    mount.recursive = true;
    container->spec.mounts = mounts;
    container->spec.n_mounts = 1;
    container->spec.identity_binds = root_tenant;
    container->spec.tenant_uid = root_tenant ? 0 : TENANT;
    mount.must_be_owned = !root_tenant;
}

static struct stat look(const char *name)
{
    char path[256];
    struct stat status;
    (void)snprintf(path, sizeof(path), "%s/%s", source, name);
    cr_assert_eq(lstat(path, &status), 0, "%s", path);
    return status;
}

Test(binds, files_of_the_containers_root_are_the_tenants)
{
    struct container container;
    make_source("mine", TENANT, 0700);
    init(&container, "stat -c %u /data; touch /data/made; mkdir /data/folder; stat -c %u /data/made", false);
    cr_expect_eq(container_run(&container, output, sizeof(output)), 0, "%s%s", output, container.error.message);
    cr_expect_str_eq(output, "0\n0\n");
    cr_expect_eq(look("made").st_uid, TENANT);
    cr_expect_eq(look("folder").st_uid, TENANT);
    cr_expect_eq(look("made").st_gid, TENANT, "and of the tenant's group");
}

/* The folder's group is none of the tenant's: the kernel lets nobody write where it cannot say what a group is. */
Test(binds, a_group_that_is_not_the_tenants_is_not_given)
{
    struct container container;
    make_source("foreign", TENANT, 0775);
    cr_assert_eq(chown(source, TENANT, TENANT + 1), 0);
    init(&container, "stat -c %g /data; touch /data/made 2>&1", false);
    cr_expect_eq(container_run(&container, output, sizeof(output)), 1, "%s%s", output, container.error.message);
    cr_expect_str_eq(output, "65534\ntouch: /data/made: Permission denied\n");
}

Test(binds, other_users_files_are_the_tenants_shifted_ids)
{
    struct container container;
    make_source("shared", TENANT, 0777);
    init(&container, "touch /data/app; stat -c %u /data/app", false);
    container.process.user = "1000:1000";
    cr_expect_eq(container_run(&container, output, sizeof(output)), 0, "%s%s", output, container.error.message);
    cr_expect_str_eq(output, "1000\n");
    cr_expect_eq(look("app").st_uid, STAGE_ID_BASE + 1000);
}

Test(binds, root_tenants_ids_are_as_they_are)
{
    struct container container;
    make_source("roots", 0, 0755);
    init(&container, "touch /data/made; mkdir /data/other; exec chown 33:33 /data/other 2>/dev/null; true", true);
    container.args[2] = "touch /data/made; stat -c %u:%g /data/made";
    cr_expect_eq(container_run(&container, output, sizeof(output)), 0, "%s%s", output, container.error.message);
    cr_expect_str_eq(output, "0:0\n");
    cr_expect_eq(look("made").st_uid, 0);
}

Test(binds, read_only)
{
    struct container container;
    make_source("readonly", TENANT, 0755);
    init(&container, "touch /data/x 2>&1", false);
    mount.read_only = true;
    cr_expect_eq(container_run(&container, output, sizeof(output)), 1, "%s", container.error.message);
    cr_expect_str_eq(output, "touch: /data/x: Read-only file system\n");
}

Test(binds, what_is_not_the_tenants_is_refused)
{
    struct container container;
    make_source("roots-own", 0, 0755);
    init(&container, "true", false);
    cr_expect_eq(container_run(&container, output, sizeof(output)), -1, "root's folder was mounted");
    cr_expect_eq(container.error.code, BH_PERMISSION_DENIED, "%s", container.error.message);
    init(&container, "true", false);
    mount.source = "/etc/shadow";
    cr_expect_eq(container_run(&container, output, sizeof(output)), -1);
    cr_expect_eq(container.error.code, BH_PERMISSION_DENIED, "%s", container.error.message);
}

/* A link in the tenant's own folder leads to what the tenant may not reach. */
Test(binds, the_path_is_walked_with_the_tenants_rights)
{
    struct container container;
    char secret[128], inside[160], link[160];
    (void)snprintf(secret, sizeof(secret), "%s/secret", stage.folder);
    (void)snprintf(inside, sizeof(inside), "%s/tenants", secret);
    cr_assert(mkdir(secret, 0700) == 0 && mkdir(inside, 0777) == 0 && chown(inside, TENANT, TENANT) == 0);
    make_source("walk", TENANT, 0755);
    (void)snprintf(link, sizeof(link), "%s/link", source);
    cr_assert_eq(symlink(inside, link), 0);
    init(&container, "true", false);
    mount.source = link;
    cr_expect_eq(container_run(&container, output, sizeof(output)), -1, "a folder below root's was reached");
    cr_expect_eq(container.error.code, BH_PERMISSION_DENIED, "%s", container.error.message);
    init(&container, "true", false);
    mount.source = "/proc/self/root/tmp";
    cr_expect_eq(container_run(&container, output, sizeof(output)), -1, "a magic link was followed");
}

Test(binds, a_missing_source_is_made_with_the_tenants_rights)
{
    struct container container;
    char missing[160], forbidden[160];
    make_source("home", TENANT, 0755);
    (void)snprintf(missing, sizeof(missing), "%s/a/b", source);
    init(&container, "touch /data/x", false);
    mount.source = missing;
    cr_expect_eq(container_run(&container, output, sizeof(output)), -1);
    cr_expect_eq(container.error.code, BH_NOT_FOUND, "%s", container.error.message);
    init(&container, "touch /data/x", false);
    mount.source = missing;
    mount.create_source = true;
    cr_expect_eq(container_run(&container, output, sizeof(output)), 0, "%s%s", output, container.error.message);
    cr_expect_eq(look("a").st_uid, TENANT);
    cr_expect_eq(look("a/b/x").st_uid, TENANT);
    make_source("closed", 0, 0755);
    (void)snprintf(forbidden, sizeof(forbidden), "%s/a", source);
    init(&container, "true", false);
    mount.source = forbidden;
    mount.create_source = true;
    cr_expect_eq(container_run(&container, output, sizeof(output)), -1);
    cr_expect_neq(access(forbidden, F_OK), 0, "a folder was made where the tenant may not");
}

Test(binds, devices_and_setuid_mean_nothing)
{
    struct container container;
    make_source("devices", 0, 0755);
    char path[160];
    (void)snprintf(path, sizeof(path), "%s/null", source);
    cr_assert_eq(mknod(path, S_IFCHR | 0666, 0x103), 0);
    init(&container, "echo x 2>/dev/null > /data/null && echo opened; grep /data /proc/self/mountinfo", true);
    cr_expect_eq(container_run(&container, output, sizeof(output)), 0, "%s", container.error.message);
    cr_expect(strncmp(output, "opened", 6) != 0, "%s", output);
    cr_expect(strstr(output, "nosuid") && strstr(output, "nodev") && !strstr(output, "shared:"), "%s", output);
}

Test(binds, a_single_file)
{
    struct container container;
    make_source("file-folder", 0, 0755);
    char path[160];
    (void)snprintf(path, sizeof(path), "%s/file", source);
    bh_autoclose int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    cr_assert(fd >= 0 && write(fd, "content\n", 8) == 8);
    init(&container, "cat /new/folder/file", true);
    mount.source = path;
    mount.target = "/new/folder/file";
    cr_expect_eq(container_run(&container, output, sizeof(output)), 0, "%s%s", output, container.error.message);
    cr_expect_str_eq(output, "content\n");
    init(&container, "true", true);
    mount.source = path;
    mount.target = "/etc";
    cr_expect_eq(container_run(&container, output, sizeof(output)), -1, "a file over a folder");
    cr_expect_eq(container.error.code, BH_INVALID_ARGUMENT, "%s", container.error.message);
}
