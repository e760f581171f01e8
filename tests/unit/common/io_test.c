/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/control.h"
#include "common/io.h"

Test(io, sealed_memfds_round_trip_and_unsealed_ones_are_refused)
{
    struct bh_error error;
    bh_autoclose int sealed = -1;
    bh_autofree void *bytes = NULL;
    size_t n_bytes = 0;
    cr_assert_eq(bh_memfd_sealed("test", "hello", 5, &sealed, &error), 0);
    cr_assert_eq(bh_memfd_read(sealed, 100, &bytes, &n_bytes, &error), 0);
    cr_assert_eq(n_bytes, 5u);
    cr_assert_eq(memcmp(bytes, "hello", 5), 0);
    cr_assert_eq(write(sealed, "x", 1), -1, "a sealed memfd cannot be changed");

    bh_autoclose int open_memfd = memfd_create("open", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    void *none = NULL;
    cr_assert_eq(bh_memfd_read(open_memfd, 100, &none, &n_bytes, &error), -1);
    cr_assert_null(none);
}

Test(io, files_have_a_ceiling)
{
    struct bh_error error;
    static char large[100000];
    memset(large, 'x', sizeof(large));
    bh_autoclose int fd = memfd_create("file", MFD_CLOEXEC);
    cr_assert_eq(bh_write_all(fd, large, sizeof(large), "file", &error), 0);
    char *text = NULL;
    size_t n_bytes = 0;
    cr_assert_eq(bh_read_file(fd, sizeof(large) - 1, &text, &n_bytes, "file", &error), -1);
    cr_assert_eq(error.code, BH_RESOURCE_EXHAUSTED);
    cr_assert_eq(bh_read_file(fd, sizeof(large), &text, &n_bytes, "file", &error), 0);
    bh_autofree char *owned = text;
    cr_assert_eq(n_bytes, sizeof(large));
    cr_assert_eq(owned[n_bytes], '\0');
}

Test(control, roles_have_names_both_ways)
{
    for (int role = BH_ROLE_NONE + 1; role < BH_ROLE_COUNT; role++) {
        cr_assert_eq((int)bh_role_from_name(bh_role_name((enum bh_role)role)), role);
    }
    cr_assert_eq(bh_role_from_name("nobody"), BH_ROLE_NONE);
    cr_assert_str_eq(bh_role_name((enum bh_role)99), "?");
}
