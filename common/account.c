/* SPDX-License-Identifier: Apache-2.0
 *
 * Looking up accounts; see account.h. passwd(5) and group(5) say what the lines look like.
 */
#include "common/account.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"

#define NUMBER_MAX 2147483647U /* what Docker takes; the range of the container is narrower still */
#define FIELDS_MAX 7

/* ---- bounded lines -------------------------------------------------------------------------------------- */

struct reader {
    int fd;
    uint64_t total;
    size_t used, at;
    bool ended;
    char buffer[ACCOUNT_LINE_MAX];
};

/* The next line that fits, without its newline; NULL at the end. */
static char *next_line(struct reader *reader)
{
    bool too_long = false;
    for (;;) {
        char *start = reader->buffer + reader->at;
        char *newline = memchr(start, '\n', reader->used - reader->at);
        if (newline) {
            *newline = '\0';
            reader->at = (size_t)(newline - reader->buffer) + 1;
            if (!too_long) {
                return start;
            }
            too_long = false;
            continue;
        }
        if (reader->ended || reader->total >= ACCOUNT_FILE_BYTES_MAX) {
            bool last = reader->used > reader->at && !too_long;
            reader->buffer[reader->used] = '\0';
            reader->at = reader->used;
            return last ? start : NULL;
        }
        memmove(reader->buffer, start, reader->used - reader->at);
        reader->used -= reader->at;
        reader->at = 0;
        if (reader->used == sizeof(reader->buffer) - 1) {
            too_long = true;
            reader->used = 0;
        }
        ssize_t n = read(reader->fd, reader->buffer + reader->used, sizeof(reader->buffer) - 1 - reader->used);
        reader->ended = n <= 0;
        reader->used += n > 0 ? (size_t)n : 0;
        reader->total += n > 0 ? (size_t)n : 0;
    }
}

/* Calls `visit` with the fields of each line that has at least `wanted` of them, until it says to stop. */
static int visit_lines(int fd, size_t wanted, bool (*visit)(char *fields[static FIELDS_MAX], void *argument),
                       void *argument, struct bh_error *error)
{
    if (fd < 0) {
        return 0;
    }
    bh_autofree struct reader *reader = malloc(sizeof(*reader));
    if (!reader) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "no memory to read accounts");
    }
    reader->fd = fd;
    reader->total = reader->used = reader->at = 0;
    reader->ended = false;
    char *line;
    while ((line = next_line(reader)) != NULL) {
        char *fields[FIELDS_MAX] = {NULL};
        size_t n = 0;
        while (n < FIELDS_MAX && line) {
            fields[n++] = strsep(&line, ":");
        }
        if (n >= wanted && !visit(fields, argument)) {
            return 0;
        }
    }
    return 0;
}

/* ---- users ---------------------------------------------------------------------------------------------- */

/* Digits only, within 64 bits. */
static bool to_number(const char *text, uint64_t *ret_number)
{
    uint64_t number = 0;
    for (const char *digit = text; *digit; digit++) {
        if (*digit < '0' || *digit > '9' || __builtin_mul_overflow(number, 10U, &number) ||
            __builtin_add_overflow(number, (uint64_t)(*digit - '0'), &number)) {
            return false;
        }
    }
    *ret_number = number;
    return *text != '\0';
}

struct user_search {
    const char *name; /* NULL: by number */
    uint64_t number, count;
    bool found;
    struct account *account;
    char found_name[256];
};

static bool visit_user(char *fields[static FIELDS_MAX], void *argument)
{
    struct user_search *search = argument;
    uint64_t uid, gid;
    if (!to_number(fields[2], &uid) || !to_number(fields[3], &gid) ||
        (search->name ? strcmp(fields[0], search->name) != 0 : uid != search->number)) {
        return true;
    }
    search->found = true;
    search->number = uid;
    (void)snprintf(search->found_name, sizeof(search->found_name), "%s", fields[0]);
    (void)snprintf(search->account->home, sizeof(search->account->home), "%s", fields[5]);
    search->account->gid = gid < search->count ? (uint32_t)gid : UINT32_MAX;
    return false;
}

static int check_number(const char *what, uint64_t number, uint32_t id_count, struct bh_error *error)
{
    if (number > NUMBER_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "%s %llu: uids and gids must be in range 0-2147483647", what,
                            (unsigned long long)number);
    }
    return number < id_count ? 0
                             : bh_error_set(error, BH_INVALID_ARGUMENT, "%s %llu is not in the container's range 0-%u",
                                            what, (unsigned long long)number, id_count - 1);
}

static bool is_digits(const char *text)
{
    return *text && strspn(text, "0123456789") == strlen(text);
}

/* A number beyond 64 bits is a number still: it is refused, never tried as a name. */
static int parse_number(const char *what, const char *text, uint32_t id_count, uint64_t *ret_number,
                        struct bh_error *error)
{
    if (!to_number(text, ret_number)) {
        *ret_number = UINT64_MAX;
    }
    return check_number(what, *ret_number, id_count, error);
}

static int find_user(int passwd, const char *user, uint32_t id_count, struct user_search *search,
                     struct bh_error *error)
{
    search->count = id_count;
    if (!*user) {
        search->number = 0;
    } else if (is_digits(user)) {
        if (parse_number("user", user, id_count, &search->number, error) < 0) {
            return -1;
        }
    } else {
        search->name = user;
    }
    if (visit_lines(passwd, 6, visit_user, search, error) < 0) {
        return -1;
    }
    if (!search->found && search->name) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "unable to find user %s: no matching entries in passwd file",
                            user);
    }
    if (check_number("user", search->number, id_count, error) < 0) {
        return -1;
    }
    search->account->uid = (uint32_t)search->number;
    return search->account->gid == UINT32_MAX
               ? bh_error_set(error, BH_INVALID_ARGUMENT,
                              "the group of user \"%s\" is not in the container's range 0-%u", user, id_count - 1)
               : 0;
}

/* ---- groups --------------------------------------------------------------------------------------------- */

static void add_group(struct account *account, uint32_t gid)
{
    for (size_t i = 0; i < account->n_groups; i++) {
        if (account->groups[i] == gid) {
            return;
        }
    }
    if (account->n_groups < ACCOUNT_GROUPS_MAX) {
        account->groups[account->n_groups++] = gid;
    }
}

struct group_search {
    const char *member; /* add all groups it is a member of */
    const char *name;   /* or find this one */
    uint64_t count, gid;
    bool found;
    struct account *account;
};

static bool has_member(char *members, const char *name)
{
    char *member;
    while ((member = strsep(&members, ",")) != NULL) {
        if (strcmp(member, name) == 0) {
            return true;
        }
    }
    return false;
}

static bool visit_group(char *fields[static FIELDS_MAX], void *argument)
{
    struct group_search *search = argument;
    uint64_t gid;
    if (!to_number(fields[2], &gid) || gid >= search->count) {
        return true;
    }
    if (search->name) {
        search->found = strcmp(fields[0], search->name) == 0;
        search->gid = gid;
        return !search->found;
    }
    if (fields[3] && has_member(fields[3], search->member)) {
        add_group(search->account, (uint32_t)gid);
    }
    return true;
}

static int find_group(int group, const char *text, uint32_t id_count, uint32_t *ret_gid, struct bh_error *error)
{
    struct group_search search = {.name = text, .count = id_count};
    if (is_digits(text)) {
        if (parse_number("group", text, id_count, &search.gid, error) < 0) {
            return -1;
        }
    } else {
        if ((group >= 0 && lseek(group, 0, SEEK_SET) < 0) || visit_lines(group, 3, visit_group, &search, error) < 0) {
            return -1;
        }
        if (!search.found) {
            return bh_error_set(error, BH_INVALID_ARGUMENT,
                                "unable to find group %s: no matching entries in group file", text);
        }
    }
    *ret_gid = (uint32_t)search.gid;
    return 0;
}

int account_find(int passwd, int group, const char *user, char *const *extra, size_t n_extra, uint32_t id_count,
                 struct account *ret_account, struct bh_error *error)
{
    char name[256];
    const char *colon = strchr(user, ':');
    struct user_search search = {.account = ret_account};
    *ret_account = (struct account){.home = "/"};
    (void)snprintf(name, sizeof(name), "%.*s", colon ? (int)(colon - user) : (int)strlen(user), user);
    if (find_user(passwd, name, id_count, &search, error) < 0) {
        return -1;
    }
    if (colon && colon[1]) {
        if (find_group(group, colon + 1, id_count, &ret_account->gid, error) < 0) {
            return -1;
        }
    } else if (search.found) {
        struct group_search members = {.member = search.found_name, .count = id_count, .account = ret_account};
        if (visit_lines(group, 4, visit_group, &members, error) < 0) {
            return -1;
        }
    }
    for (size_t i = 0; i < n_extra; i++) {
        uint32_t gid;
        if (find_group(group, extra[i], id_count, &gid, error) < 0) {
            return -1;
        }
        add_group(ret_account, gid);
    }
    return 0;
}
