/* SPDX-License-Identifier: Apache-2.0
 *
 * bulkhead cp: between a container and this host, by Docker's rules (copy_path.c).
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base64.h"
#include "commands.h"
#include "common/limits.h"
#include "copy_path.h"
#include "copy_receive.h"
#include "copy_send.h"
#include "download.h"
#include "fields.h"
#include "human.h"
#include "query.h"

/* Types within the modes of Go, which the API speaks. */
#define MODE_FOLDER  (UINT64_C(1) << 31)
#define MODE_SYMLINK (UINT64_C(1) << 27)
#define MODE_TYPES   (MODE_FOLDER | MODE_SYMLINK | UINT64_C(0x7280000))
#define LINKS_MAX    10

struct cp_options {
    bool archive, follow_link;
    bool quiet;
};

struct path_stat {
    bool exists;
    uint64_t mode;
    char link_target[BH_PATH_BYTES_MAX + 1];
};

static void parse_stat(const char *header, struct path_stat *ret_stat)
{
    bh_autofree char *text = base64_decode(header);
    json_auto json_t *stat = text ? json_loads(text, 0, NULL) : NULL;
    *ret_stat = (struct path_stat){.exists = stat != NULL, .mode = (uint64_t)field_integer(stat, "mode")};
    (void)snprintf(ret_stat->link_target, sizeof(ret_stat->link_target), "%s", field_text(stat, "linkTarget"));
}

static int archive_path(const char *container, const char *path, char **ret_path, struct bh_error *error)
{
    return query_path(ret_path, "/containers/", container, "/archive", error) < 0
               ? -1
               : query_add(ret_path, "path", path, error);
}

/* What is at `path`. That it is not there, or cannot be told, is for the copy itself to say, in the engine's words. */
static int look_at(struct cli *cli, const char *container, const char *path, struct path_stat *ret_stat,
                   struct bh_error *error)
{
    bh_autofree char *request = NULL;
    http_auto struct http_connection *connection = NULL;
    struct http_head head = {0};
    *ret_stat = (struct path_stat){0};
    if (archive_path(container, path, &request, error) < 0) {
        return -1;
    }
    if (engine_stream(cli->engine, &(struct engine_question){.method = "HEAD", .path = request}, &connection, &head,
                      NULL) == 0) {
        parse_stat(head.path_stat, ret_stat);
    }
    return 0;
}

static void tell_success(const struct cp_options *options, uint64_t bytes, const char *container, const char *path)
{
    char size[HUMAN_BYTES];
    if (!options->quiet && isatty(STDOUT_FILENO)) {
        (void)fprintf(stderr, "Successfully copied %s to %s%s%s\n", human_size(bytes, size), container ? container : "",
                      container ? ":" : "", path);
    }
}

/* The end of a chain of links at `path`, whose last name need not exist. */
static int resolve_local(const char *path, char **ret_path, struct copy_end *ret_end, struct bh_error *error)
{
    bh_autofree char *at = NULL;
    char target[BH_PATH_BYTES_MAX + 1];
    struct stat status;
    if (strings_format(&at, error, "%s", path) < 0) {
        return -1;
    }
    for (int n_links = 0; lstat(at, &status) == 0 && S_ISLNK(status.st_mode); n_links++) {
        bh_autofree char *link = bh_steal_pointer(&at);
        ssize_t length = readlink(link, target, sizeof(target) - 1);
        if (length < 0 || n_links == LINKS_MAX) {
            return bh_error_errno(error, length < 0 ? errno : ELOOP, "follow %s", path);
        }
        target[length] = '\0';
        if (copy_path_of_link(link, target, &at, error) < 0) {
            return -1;
        }
    }
    bool exists = stat(at, &status) == 0;
    if (!exists && errno != ENOENT) {
        return bh_error_errno(error, errno, "look at %s", path);
    }
    *ret_end = (struct copy_end){.path = at, .exists = exists, .is_folder = exists && S_ISDIR(status.st_mode)};
    *ret_path = bh_steal_pointer(&at);
    return 0;
}

/* -L: a link as the source is what it points to, under the link's own name. */
static int follow_source(struct cli *cli, const char *container, const char *path, char **ret_path,
                         struct bh_error *error)
{
    struct path_stat stat;
    if (look_at(cli, container, path, &stat, error) < 0) {
        return -1;
    }
    return stat.exists && (stat.mode & MODE_SYMLINK) ? copy_path_of_link(path, stat.link_target, ret_path, error)
                                                     : strings_format(ret_path, error, "%s", path);
}

/* With -L the entry in the archive has the target's name, and is to get the link's. */
static int keep_link_name(const char *path, const char *followed, struct copy_plan *plan, struct bh_error *error)
{
    bh_autofree char *folder = NULL, *base = NULL;
    if (plan->name || strcmp(path, followed) == 0 || copy_path_parts(path, &folder, &base, error) < 0) {
        return error && error->code ? -1 : 0;
    }
    plan->name = strcmp(base, ".") == 0 || strcmp(base, "/") == 0 ? NULL : bh_steal_pointer(&base);
    return 0;
}

static int receive(struct cli *cli, const struct cp_options *options, const char *container, const char *path,
                   const char *target, struct bh_error *error)
{
    bh_autofree char *request = NULL, *followed = NULL, *local = NULL, *folder = NULL, *base = NULL;
    http_auto struct http_connection *connection = NULL;
    bh_cleanup(copy_plan_free) struct copy_plan plan = {0};
    struct http_head head = {0};
    struct path_stat stat;
    struct copy_end to = {0};
    struct copy_received received = {0};
    if ((options->follow_link ? follow_source(cli, container, path, &followed, error)
                              : strings_format(&followed, error, "%s", path)) < 0 ||
        archive_path(container, followed, &request, error) < 0 ||
        engine_stream(cli->engine, &(struct engine_question){.method = "GET", .path = request}, &connection, &head,
                      error) < 0) {
        return -1;
    }
    if (strcmp(target, "-") == 0) {
        return download_rest(connection, STDOUT_FILENO, "standard output", error);
    }
    parse_stat(head.path_stat, &stat);
    const struct copy_end from = {.path = followed, .exists = true, .is_folder = stat.mode & MODE_FOLDER};
    if (resolve_local(target, &local, &to, error) < 0 || copy_plan_make(&from, &to, &plan, error) < 0 ||
        keep_link_name(path, followed, &plan, error) < 0 || copy_path_parts(followed, &folder, &base, error) < 0 ||
        copy_receive(connection, &plan, base, options->archive, &received, error) < 0) {
        return -1;
    }
    tell_success(options, received.bytes, NULL, target);
    return received.skipped ? 1 : 0;
}

/* The end of one link in the container: where the copy is to arrive. */
static int resolve_remote(struct cli *cli, const char *container, const char *path, char **ret_path,
                          struct copy_end *ret_end, struct bh_error *error)
{
    struct path_stat stat;
    bh_autofree char *at = NULL;
    if (strings_format(&at, error, "%s", path) < 0 || look_at(cli, container, at, &stat, error) < 0) {
        return -1;
    }
    if (stat.exists && (stat.mode & MODE_SYMLINK)) {
        bh_autofree char *link = bh_steal_pointer(&at);
        if (copy_path_of_link(link, stat.link_target, &at, error) < 0 ||
            look_at(cli, container, at, &stat, error) < 0) {
            return -1;
        }
    }
    if (!stat.exists) { /* it may be the container that is not there: then that is to be said */
        json_auto json_t *details = NULL;
        if (query_container(cli->engine, container, &details, error) < 0) {
            return -1;
        }
    }
    uint64_t type = stat.mode & MODE_TYPES;
    if (stat.exists && type != 0 && type != MODE_FOLDER && type != MODE_SYMLINK) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "destination \"%s:%s\" must be a directory or a regular file",
                            container, path);
    }
    *ret_end = (struct copy_end){.path = at, .exists = stat.exists, .is_folder = stat.mode & MODE_FOLDER};
    *ret_path = bh_steal_pointer(&at);
    return 0;
}

static int upload_path(const struct cp_options *options, const char *container, const char *folder, char **ret_path,
                       struct bh_error *error)
{
    return archive_path(container, folder, ret_path, error) < 0 ||
                   query_add(ret_path, "noOverwriteDirNonDir", "true", error) < 0 ||
                   query_add(ret_path, "copyUIDGID", options->archive ? "true" : NULL, error) < 0
               ? -1
               : 0;
}

static int send_stdin(struct cli *cli, const struct cp_options *options, const char *container, const char *path,
                      const struct copy_end *to, struct bh_error *error)
{
    bh_autofree char *request = NULL;
    http_auto struct http_connection *connection = NULL;
    if (!to->is_folder) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "destination \"%s:%s\" must be a directory", container, path);
    }
    if (upload_path(options, container, to->path, &request, error) < 0) {
        return -1;
    }
    const struct engine_question question = {.method = "PUT", .path = request, .uploads = true};
    return engine_upload(cli->engine, &question, STDIN_FILENO, &connection, error);
}

static int send_local(struct cli *cli, const struct cp_options *options, const char *source, const char *container,
                      const struct copy_end *to, uint64_t *ret_bytes, struct bh_error *error)
{
    bh_autofree char *request = NULL, *folder = NULL, *base = NULL;
    http_auto struct http_connection *connection = NULL;
    bh_cleanup(copy_plan_free) struct copy_plan plan = {0};
    struct http_head head = {0};
    struct stat status;
    if ((options->follow_link ? stat : lstat)(source, &status) < 0) {
        return bh_error_errno(error, errno, "look at %s", source);
    }
    const struct copy_end from = {.path = source, .exists = true, .is_folder = S_ISDIR(status.st_mode)};
    if (copy_plan_make(&from, to, &plan, error) < 0 || copy_path_parts(source, &folder, &base, error) < 0 ||
        upload_path(options, container, plan.folder, &request, error) < 0) {
        return -1;
    }
    const char *name = plan.name ? plan.name : strcmp(base, "/") == 0 ? "." : base;
    const struct engine_question question = {.method = "PUT", .path = request, .uploads = true};
    if (engine_stream_send(cli->engine, &question, &connection, error) < 0 ||
        copy_send(connection, source, name, options->follow_link, ret_bytes, error) < 0) {
        return -1;
    }
    return engine_stream_receive(connection, &head, error);
}

static int send_to(struct cli *cli, const struct cp_options *options, const char *source, const char *container,
                   const char *path, struct bh_error *error)
{
    bh_autofree char *remote = NULL;
    struct copy_end to = {0};
    uint64_t bytes = 0;
    if (resolve_remote(cli, container, path, &remote, &to, error) < 0) {
        return -1;
    }
    if (strcmp(source, "-") == 0) {
        return send_stdin(cli, options, container, path, &to, error);
    }
    if (send_local(cli, options, source, container, &to, &bytes, error) < 0) {
        return -1;
    }
    tell_success(options, bytes, container, path);
    return 0;
}

static int run(struct cli *cli, const void *values, const struct strings *arguments, struct bh_error *error)
{
    bh_autofree char *from = NULL, *to = NULL;
    const char *from_path = NULL, *to_path = NULL;
    if (!*arguments->items[0] || !*arguments->items[1]) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "%s can not be empty",
                            *arguments->items[0] ? "destination" : "source");
    }
    if (copy_path_split(arguments->items[0], &from, &from_path, error) < 0 ||
        copy_path_split(arguments->items[1], &to, &to_path, error) < 0) {
        return -1;
    }
    if (from && to) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "copying between containers is not supported");
    }
    if (!from && !to) {
        return cli_misuse(cli, error, "must specify at least one container source, like NAME:/path");
    }
    return from ? receive(cli, values, from, from_path, to_path, error)
                : send_to(cli, values, from_path, to, to_path, error);
}

#define AT(field) offsetof(struct cp_options, field)
static const struct option options_table[] = {
    {OPTION_FLAG, "archive", 'a', AT(archive), NULL, "Keep owners, groups and set-id bits"},
    {OPTION_FLAG, "follow-link", 'L', AT(follow_link), NULL, "Follow a symbolic link in SRC_PATH"},
    {OPTION_FLAG, "quiet", 'q', AT(quiet), NULL, "Do not say how much was copied"},
    {0},
};

const struct command cp_command = {
    .name = "cp",
    .aliases = "container cp",
    .usage = "[OPTIONS] CONTAINER:SRC_PATH DEST_PATH|-  or  [OPTIONS] SRC_PATH|- CONTAINER:DEST_PATH",
    .summary = "Copy files and folders between a container and this host",
    .details = "As the source, - reads a tar archive from STDIN and unpacks it into a folder of the container. As the "
               "destination, - writes a tar archive to STDOUT. A folder's path that ends in /. means what is in it. "
               "Whatever a container sends, nothing outside DEST_PATH is written; device nodes are left out.",
    .example = "bulkhead cp web:/var/log/app ./logs\nbulkhead cp site/. web:/srv/www\nbulkhead cp web:/etc - | tar t",
    .options = options_table,
    .values_bytes = sizeof(struct cp_options),
    .arguments_min = 2,
    .arguments_max = 2,
    .completes = COMPLETE_CONTAINER_PATHS,
    .run = run,
};
