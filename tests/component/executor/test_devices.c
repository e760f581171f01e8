/* SPDX-License-Identifier: Apache-2.0
 *
 * Devices of the host in a container: what opens, and that nothing outside of /dev does.
 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stage.h"

TestSuite(devices, .init = stage_open, .fini = stage_close, .timeout = 180);

static char output[65536];

static int run_with(const char *host_path, const char *path, const char *access, const char *script,
                    struct container *container)
{
    static Bulkhead__Device device, *list[] = {&device};
    bulkhead__device__init(&device);
    device.host_path = (char *)(uintptr_t)host_path;
    device.path = (char *)(uintptr_t)path;
    device.read = strchr(access, 'r') != NULL;
    device.write = strchr(access, 'w') != NULL;
    device.make = strchr(access, 'm') != NULL;
    container_init(container, script);
    container->spec.devices = list;
    container->spec.n_devices = 1;
    return container_run(container, output, sizeof(output));
}

Test(devices, open_as_far_as_they_may)
{
    struct container container;
    static const char both[] = "true </dev/thing && echo read; true >>/dev/thing && echo written; true";
    cr_assert_eq(run_with("/dev/loop0", "/dev/thing", "rw", both, &container), 0, "%s", container.error.message);
    cr_expect(strstr(output, "read\nwritten\n"), "%s", output);
    cr_assert_eq(run_with("/dev/loop0", "/dev/thing", "r", both, &container), 0, "%s", container.error.message);
    cr_expect(strstr(output, "read\n") && !strstr(output, "written"), "%s", output);
    /* a node alone opens nothing: the same numbers, made inside, without the device */
    cr_assert_eq(run("mknod /tmp/x b 7 0 2>&1; true </tmp/x && echo read; true", output, sizeof(output)), 0);
    cr_expect_not(strstr(output, "read"), "%s", output);
}

Test(devices, at_any_place)
{
    struct container container;
    cr_assert_eq(run_with("/dev/zero", "/srv/deep/zero", "r",
                          "head -c 5 /srv/deep/zero | wc -c; stat -c %u /srv/deep/zero", &container),
                 0, "%s", container.error.message);
    cr_expect(strstr(output, "5\n0\n"), "%s", output);
    cr_assert_eq(run_with("/dev/zero", "/dev/a/b/zero", "r", "head -c 5 /dev/a/b/zero | wc -c", &container), 0, "%s",
                 container.error.message);
    cr_expect(strstr(output, "5\n"), "%s", output);
    cr_expect_eq(run_with("/dev/zero", "/dev/shm/zero", "r", "true", &container), -1, "something is mounted over it");
}

Test(devices, of_dev_itself_only)
{
    static const char *const paths[] = {"/dev/no-such-device", "/dev/fd/0", "/dev/stdin", "/dev/pts/ptmx"};
    struct container container;
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        cr_expect_eq(run_with(paths[i], "/dev/x", "r", "true", &container), -1, "%s", paths[i]);
        cr_expect(strstr(container.error.message, paths[i]), "%s", container.error.message);
    }
}

Test(devices, leave_what_every_container_has)
{
    struct container container;
    cr_expect_eq(run_with("/dev/zero", "/dev/null", "rw", "true", &container), -1);
    cr_expect(strstr(container.error.message, "already"), "%s", container.error.message);
    cr_expect_eq(run_with("/dev/null", "/dev/null", "rw", "true >/dev/null", &container), 0, "%s",
                 container.error.message);
}
