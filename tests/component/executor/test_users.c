/* SPDX-License-Identifier: Apache-2.0
 *
 * USER: looked up inside, with numbers that stay numbers.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "stage.h"

TestSuite(users, .init = stage_open, .fini = stage_close, .timeout = 120);

static char output[65536];

static void set_up_accounts(void)
{
    stage_file_layer(2, "etc/passwd",
                     "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1001::/home/app:/bin/sh\n1000:x:5:5::/:\n", 0644);
    stage_file_layer(3, "etc/group", "root:x:0:\nwheel:x:10:app\nweb:x:33:\n", 0644);
}

static int run_as(const char *user, char **groups, size_t n_groups, struct container *container, const char *script)
{
    container_init(container, script);
    container_add_layer(container, 2);
    container_add_layer(container, 3);
    container->process.user = (char *)(uintptr_t)user;
    container->process.groups = groups;
    container->process.n_groups = n_groups;
    return container_run(container, output, sizeof(output));
}

Test(users, names_numbers_groups)
{
    struct container container;
    char *groups[] = {"web", "77"};
    static const char script[] = "id -u; id -g; id -G; echo $HOME";
    set_up_accounts();
    cr_expect_eq(run_as("app", NULL, 0, &container, script), 0, "%s", container.error.message);
    cr_expect_str_eq(output, "1000\n1001\n1001 10\n/home/app\n");
    cr_expect_eq(run_as("app:web", NULL, 0, &container, script), 0, "%s", container.error.message);
    cr_expect_str_eq(output, "1000\n33\n33\n/home/app\n");
    cr_expect_eq(run_as("1234:5", groups, 2, &container, script), 0, "%s", container.error.message);
    cr_expect_str_eq(output, "1234\n5\n5 33 77\n/\n");
    cr_expect_eq(run_as("1000", NULL, 0, &container, "id -u"), 0, "%s", container.error.message);
    cr_expect_str_eq(output, "1000\n", "digits are never a name");
}

Test(users, another_user_has_no_capability_and_no_way_to_one)
{
    struct container container;
    set_up_accounts();
    cr_expect_eq(run_as("app", NULL, 0, &container, "grep Cap /proc/self/status; echo x > /dev/stdout; touch /x 2>&1"),
                 1);
    cr_expect_str_eq(output, "CapInh:\t0000000000000000\nCapPrm:\t0000000000000000\nCapEff:\t0000000000000000\n"
                             "CapBnd:\t00000000a80425fb\nCapAmb:\t0000000000000000\nx\ntouch: /x: Permission denied\n");
}

Test(users, what_is_refused)
{
    struct container container;
    static const char *const wrong[] = {"nobody-here", "app:nogroup", "65536",       "4294967296",
                                        "4294967295",  "-1",          "0:4294967296"};
    set_up_accounts();
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        cr_expect_eq(run_as(wrong[i], NULL, 0, &container, "id"), -1, "%s became %s", wrong[i], output);
        cr_expect_eq(container.error.code, BH_INVALID_ARGUMENT, "%s: %s", wrong[i], container.error.message);
    }
}

/* Files that are none: a FIFO never makes the start wait, a link never leads out. */
Test(users, hostile_account_files)
{
    struct container container;
    char folder[128], path[160];
    (void)snprintf(folder, sizeof(folder), "%s/fifo", stage.folder);
    (void)snprintf(path, sizeof(path), "%s/etc", folder);
    cr_assert(mkdir(folder, 0755) == 0 && mkdir(path, 0755) == 0);
    (void)snprintf(path, sizeof(path), "%s/etc/passwd", folder);
    cr_assert_eq(mkfifo(path, 0666), 0);
    stage_layer(2, folder);
    stage_file_layer(3, "etc/group", "root:x:0:\n", 0644);
    cr_expect_eq(run_as("app", NULL, 0, &container, "id"), -1, "a FIFO was read");
    cr_expect_eq(container.error.code, BH_INVALID_ARGUMENT, "%s", container.error.message);
    stage_link_layer(4, "etc", "/proc/self/fd");
    container_init(&container, "id -u");
    container_add_layer(&container, 4);
    cr_expect_neq(container_run(&container, output, sizeof(output)), 0, "/etc was a link into /proc");
}
