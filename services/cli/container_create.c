/* SPDX-License-Identifier: Apache-2.0
 *
 * POST /containers/create, with the pull before it or between two tries.
 */
#include "container_create.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "common/io.h"
#include "fields.h"
#include "image_name.h"
#include "pull.h"
#include "terminal.h"

static int check_pull(const char *pull, struct bh_error *error)
{
    if (!pull || strcmp(pull, "always") == 0 || strcmp(pull, "missing") == 0 || strcmp(pull, "never") == 0 || !*pull) {
        return 0;
    }
    return bh_error_set(error, BH_INVALID_ARGUMENT,
                        "invalid pull option: '%s': must be one of \"always\", \"missing\" or \"never\"", pull);
}

/* A tty starts with the size of the user's own terminal. */
static int add_console_size(json_t *request, const struct container_options *options, struct bh_error *error)
{
    unsigned int rows = 0, columns = 0;
    if (!options->tty || !terminal_size(&rows, &columns)) {
        return 0;
    }
    return field_set(json_object_get(request, "HostConfig"), "ConsoleSize",
                     json_pack("[i, i]", (int)rows, (int)columns), error);
}

static int create_path(const struct container_options *options, char **ret_path, struct bh_error *error)
{
    bh_autofree char *name = engine_escape(options->name ? options->name : "");
    bh_autofree char *platform = engine_escape(options->platform ? options->platform : "");
    if (!name || !platform) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "out of memory");
    }
    return strings_format(ret_path, error, "/containers/create?%s%s%s%s%s", *name ? "name=" : "", name,
                          *name && *platform ? "&" : "", *platform ? "platform=" : "", platform);
}

static int ask_for_it(struct cli *cli, const struct container_options *options, const char *image, const char *path,
                      const json_t *request, json_t **ret_answer, struct bh_error *error)
{
    bool always = options->pull && strcmp(options->pull, "always") == 0;
    bool never = options->pull && strcmp(options->pull, "never") == 0;
    bh_autofree char *name = NULL;
    const char *tag = NULL;
    if (image_name_split(image, &name, &tag, error) < 0 ||
        (always && pull_image(cli->engine, image, options->platform, options->quiet, stderr, error) < 0)) {
        return -1;
    }
    if (engine_ask(cli->engine, "POST", path, request, ret_answer, error) == 0) {
        return 0;
    }
    if (error->code != BH_NOT_FOUND || always || never || !strings_begins(error->message, "No such image")) {
        return -1;
    }
    bh_error_clear(error);
    if (!options->quiet) {
        (void)fprintf(stderr, "Unable to find image '%s%s' locally\n", image, tag ? "" : ":latest");
    }
    if (pull_image(cli->engine, image, options->platform, options->quiet, stderr, error) < 0) {
        return -1;
    }
    return engine_ask(cli->engine, "POST", path, request, ret_answer, error);
}

static int write_id_file(const char *path, const char *id, struct bh_error *error)
{
    bh_autoclose int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0) {
        return bh_error_errno(error, errno, "failed to create the container ID file %s", path);
    }
    return bh_write_all(fd, id, strlen(id), path, error);
}

int container_create(struct cli *cli, const struct container_options *options,
                     const struct container_attachment *attachment, const struct strings *arguments, char **ret_id,
                     struct bh_error *error)
{
    json_auto json_t *request = NULL, *answer = NULL;
    bh_autofree char *path = NULL;
    if (check_pull(options->pull, error) < 0 ||
        container_request_build(options, attachment, arguments, &request, error) < 0 ||
        add_console_size(request, options, error) < 0 || create_path(options, &path, error) < 0) {
        cli->failure_status = CLI_STATUS_FAILED;
        return -1;
    }
    if (options->container_id_file && access(options->container_id_file, F_OK) == 0) {
        return bh_error_set(error, BH_ALREADY_EXISTS,
                            "container ID file found, make sure the other container isn't running or delete %s",
                            options->container_id_file);
    }
    if (ask_for_it(cli, options, arguments->items[0], path, request, &answer, error) < 0) {
        return -1;
    }
    json_t *warnings = field_at(answer, "Warnings");
    for (size_t i = 0; i < json_array_size(warnings); i++) {
        (void)fprintf(stderr, "WARNING: %s\n", json_string_value(json_array_get(warnings, i)));
    }
    const char *id = field_text(answer, "Id");
    if (!*id) {
        return bh_error_set(error, BH_INTERNAL, "the engine did not name the container it created");
    }
    if (options->container_id_file && write_id_file(options->container_id_file, id, error) < 0) {
        return -1;
    }
    return strings_format(ret_id, error, "%s", id);
}
