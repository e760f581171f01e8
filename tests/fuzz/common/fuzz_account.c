/* SPDX-License-Identifier: Apache-2.0
 *
 * A container's /etc/passwd and /etc/group, and who is asked for: three texts with NUL between them. Whoever is found
 * has an id that the container has.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/account.h"
#include "common/cleanup.h"
#include "fuzz.h"

#define IDS 65536U

static int file_of(const char *text, size_t n_bytes)
{
    int fd = memfd_create("file", MFD_CLOEXEC);
    if (fd < 0 || write(fd, text, n_bytes) != (ssize_t)n_bytes || lseek(fd, 0, SEEK_SET) < 0) {
        fuzz_wrong();
    }
    return fd;
}

static void find(int passwd, int group, const char *user)
{
    static struct account account;
    static char name[] = "wheel", number[] = "7";
    static char *extra[] = {name, number};
    struct bh_error error = {0};
    if (account_find(passwd, group, user, extra, 2, IDS, &account, &error) < 0) {
        if (error.code == BH_OK) {
            fuzz_wrong();
        }
        return;
    }
    if (account.uid >= IDS || account.gid >= IDS || account.n_groups > ACCOUNT_GROUPS_MAX ||
        !memchr(account.home, '\0', sizeof(account.home))) {
        fuzz_wrong();
    }
    for (size_t i = 0; i < account.n_groups; i++) {
        if (account.groups[i] >= IDS) {
            fuzz_wrong();
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes)
{
    bh_autofree char *user = strndup((const char *)bytes, n_bytes);
    size_t n_user = strlen(user);
    const char *passwd = (const char *)bytes + (n_user < n_bytes ? n_user + 1 : n_user);
    size_t n_rest = n_bytes - (size_t)(passwd - (const char *)bytes);
    const char *stop = n_rest ? memchr(passwd, '\0', n_rest) : NULL;
    size_t n_passwd = stop ? (size_t)(stop - passwd) : n_rest;
    size_t n_group = stop ? n_rest - n_passwd - 1 : 0;
    bh_autoclose int passwd_fd = file_of(passwd, n_passwd);
    bh_autoclose int group_fd = file_of(stop ? stop + 1 : passwd, n_group);
    find(passwd_fd, group_fd, user);
    find(-1, -1, user);
    return 0;
}
