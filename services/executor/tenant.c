/* SPDX-License-Identifier: Apache-2.0
 *
 * A tenant's rights; see tenant.h.
 */
#include "tenant.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/fsuid.h>
#include <unistd.h>

#include "common/cleanup.h"

/* The account's name goes to `ret_name`, if it has one. */
static bool find_account(uint32_t uid, uint32_t *ret_gid, char *ret_name, size_t name_bytes)
{
    bh_autofclose FILE *accounts = fopen("/etc/passwd", "re");
    char buffer[4096];
    struct passwd account, *found = NULL;
    while (accounts && fgetpwent_r(accounts, &account, buffer, sizeof(buffer), &found) == 0 && found) {
        if (account.pw_uid == uid) {
            *ret_gid = account.pw_gid;
            (void)snprintf(ret_name, name_bytes, "%s", account.pw_name);
            return true;
        }
    }
    return false;
}

uint32_t tenant_group(uint32_t tenant_uid)
{
    char name[256];
    uint32_t gid = tenant_uid;
    return find_account(tenant_uid, &gid, name, sizeof(name)) ? gid : tenant_uid;
}

bool tenant_is_member(uint32_t tenant_uid, uint32_t gid)
{
    char name[256], buffer[65536];
    uint32_t primary = tenant_uid;
    if (!find_account(tenant_uid, &primary, name, sizeof(name))) {
        return gid == tenant_uid;
    }
    bh_autofclose FILE *groups = fopen("/etc/group", "re");
    struct group group, *found = NULL;
    while (primary != gid && groups && fgetgrent_r(groups, &group, buffer, sizeof(buffer), &found) == 0 && found) {
        for (char **member = group.gr_gid == gid ? group.gr_mem : NULL; member && *member; member++) {
            if (strcmp(*member, name) == 0) {
                return true;
            }
        }
    }
    return primary == gid;
}

static int set_effective(cap_flag_value_t value, struct bh_error *error)
{
    cap_t capabilities = cap_get_proc();
    int result = capabilities ? 0 : -1;
    for (cap_value_t capability = 0; result == 0 && capability <= CAP_LAST_CAP; capability++) {
        cap_flag_value_t permitted = CAP_CLEAR;
        (void)cap_get_flag(capabilities, capability, CAP_PERMITTED, &permitted);
        if (permitted == CAP_SET) {
            result = cap_set_flag(capabilities, CAP_EFFECTIVE, 1, &capability, value);
        }
    }
    result = result < 0 || cap_set_proc(capabilities) < 0
                 ? bh_error_errno(error, errno, "change effective capabilities")
                 : 0;
    if (capabilities) {
        (void)cap_free(capabilities);
    }
    return result;
}

/* setfsuid() tells of no failure: asking once more with an impossible id says what is in force. */
static int set_ids(uint32_t uid, uint32_t gid, struct bh_error *error)
{
    (void)setfsgid(gid);
    (void)setfsuid(uid);
    return (uint32_t)setfsuid((uid_t)-1) == uid && (uint32_t)setfsgid((gid_t)-1) == gid
               ? 0
               : bh_error_set(error, BH_INTERNAL, "the file system ids did not become %u:%u", uid, gid);
}

int tenant_rights_take(uint32_t tenant_uid, uint32_t tenant_gid, struct bh_error *error)
{
    if (tenant_uid == 0) {
        return 0;
    }
    if (set_ids(tenant_uid, tenant_gid, error) < 0 || set_effective(CAP_CLEAR, error) < 0) {
        return -1;
    }
    return 0;
}

int tenant_rights_return(struct bh_error *error)
{
    /* Capabilities first: only with them may the ids change. */
    return set_effective(CAP_SET, error) < 0 ? -1 : set_ids(0, 0, error);
}
