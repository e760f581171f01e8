/* SPDX-License-Identifier: Apache-2.0
 *
 * Who USER is, by files that may say anything.
 */
/* Messages in tests point at literals. */
#ifdef __clang__
#pragma GCC diagnostic ignored "-Wincompatible-pointer-types-discards-qualifiers"
#else
#pragma GCC diagnostic ignored "-Wdiscarded-qualifiers"
#endif

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "account.h"
#include "common/cleanup.h"

#define IDS 65536

static struct account account;
static struct bh_error error;

static int file_of(const char *text, size_t n)
{
    int fd = memfd_create("accounts", MFD_CLOEXEC);
    cr_assert(fd >= 0 && write(fd, text, n) == (ssize_t)n && lseek(fd, 0, SEEK_SET) == 0);
    return fd;
}

static int find(const char *passwd, const char *group, const char *user, char *const *extra, size_t n_extra)
{
    bh_autoclose int passwd_fd = passwd ? file_of(passwd, strlen(passwd)) : -1;
    bh_autoclose int group_fd = group ? file_of(group, strlen(group)) : -1;
    bh_error_clear(&error);
    return account_find(passwd_fd, group_fd, user, extra, n_extra, IDS, &account, &error);
}

static const char passwd_text[] = "root:x:0:0:root:/root:/bin/sh\n"
                                  "app:x:1000:1001::/home/app:/bin/sh\n"
                                  "0:x:7:7::/zero:/bin/sh\n"
                                  "far:x:70000:0::/:/bin/sh\n"
                                  "huge:x:4294967296:0::/:/bin/sh\n"
                                  "minus:x:-1:0::/:/bin/sh\n";
static const char group_text[] = "root:x:0:\nwheel:x:10:root,app\nweb:x:33:app\nother:x:44:nobody\n1000:x:99:\n";

Test(account, nobody_named_is_root)
{
    cr_assert_eq(find(NULL, NULL, "", NULL, 0), 0, "%s", error.message);
    cr_expect(account.uid == 0 && account.gid == 0 && account.n_groups == 0);
    cr_expect_str_eq(account.home, "/");
    cr_assert_eq(find(passwd_text, group_text, "", NULL, 0), 0);
    cr_expect_str_eq(account.home, "/root");
    cr_expect(account.n_groups == 1 && account.groups[0] == 10);
}

Test(account, names_and_their_groups)
{
    cr_assert_eq(find(passwd_text, group_text, "app", NULL, 0), 0, "%s", error.message);
    cr_expect(account.uid == 1000 && account.gid == 1001 && account.n_groups == 2);
    cr_expect(account.groups[0] == 10 && account.groups[1] == 33);
    cr_expect_str_eq(account.home, "/home/app");
    cr_assert_eq(find(passwd_text, group_text, "app:web", NULL, 0), 0);
    cr_expect(account.uid == 1000 && account.gid == 33 && account.n_groups == 0);
    cr_assert_eq(find(passwd_text, group_text, "app:12", NULL, 0), 0);
    cr_expect_eq(account.gid, 12);
}

Test(account, digits_are_never_tried_as_a_name)
{
    cr_assert_eq(find(passwd_text, group_text, "0", NULL, 0), 0);
    cr_expect(account.uid == 0 && account.gid == 0);
    cr_assert_eq(find(passwd_text, group_text, "5:1000", NULL, 0), 0);
    cr_expect(account.uid == 5 && account.gid == 1000);
}

Test(account, a_number_takes_its_account_along)
{
    cr_assert_eq(find(passwd_text, group_text, "1000", NULL, 0), 0);
    cr_expect(account.uid == 1000 && account.gid == 1001 && account.n_groups == 2);
    cr_assert_eq(find(passwd_text, group_text, "1234", NULL, 0), 0);
    cr_expect(account.uid == 1234 && account.gid == 0 && account.n_groups == 0);
}

Test(account, numbers_beyond_the_range_are_refused)
{
    static const char *const wrong[] = {"65536",   "2147483648",   "4294967296",  "18446744073709551616",
                                        "1:65536", "1:4294967296", "far",         "huge",
                                        "minus",   "-1",           "nobody-here", "app:nogroup"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        cr_expect_eq(find(passwd_text, group_text, wrong[i], NULL, 0), -1, "%s became %u:%u", wrong[i], account.uid,
                     account.gid);
        cr_expect_eq(error.code, BH_INVALID_ARGUMENT, "%s", wrong[i]);
    }
}

Test(account, further_groups)
{
    char *extra[] = {"web", "7", "web"}, *wrong[] = {"absent"};
    cr_assert_eq(find(passwd_text, group_text, "5", extra, 3), 0, "%s", error.message);
    cr_expect(account.n_groups == 2 && account.groups[0] == 33 && account.groups[1] == 7);
    cr_expect_eq(find(passwd_text, group_text, "5", wrong, 1), -1);
}

Test(account, hostile_files_cost_nothing)
{
    size_t n = 300000;
    bh_autofree char *text = malloc(n + 64);
    memset(text, 'a', n);
    memcpy(text + 1000, ":x:1:1::/:\n", 11);             /* an ordinary line */
    memcpy(text + n, "\nlast:x:3:3::/last:/bin/sh", 27); /* behind one of 300 kB */
    bh_autoclose int fd = file_of(text, n + 26);
    cr_assert_eq(account_find(fd, -1, "last", NULL, 0, IDS, &account, &error), 0, "%s", error.message);
    cr_expect_eq(account.uid, 3);
    static const char odd[] = ":::::\n\n:\nname\nname:x\napp:x:1:1::/h\0:/bin/sh\n";
    bh_autoclose int odd_fd = file_of(odd, sizeof(odd) - 1);
    cr_expect_eq(account_find(odd_fd, -1, "name", NULL, 0, IDS, &account, &error), -1);
}

Test(account, reading_ends_at_the_ceiling)
{
    bh_autoclose int fd = memfd_create("huge", MFD_CLOEXEC);
    static const char last[] = "\nlate:x:3:3::/:\n";
    cr_assert(ftruncate(fd, (off_t)ACCOUNT_FILE_BYTES_MAX * 4) == 0 && lseek(fd, 0, SEEK_END) > 0 &&
              write(fd, last, sizeof(last) - 1) > 0 && lseek(fd, 0, SEEK_SET) == 0);
    cr_expect_eq(account_find(fd, -1, "late", NULL, 0, IDS, &account, &error), -1);
}
