/* SPDX-License-Identifier: Apache-2.0
 *
 * bulkhead images
 */
#include <stddef.h>
#include <string.h>
#include <time.h>

#include "commands.h"
#include "fields.h"
#include "filters.h"
#include "human.h"
#include "table.h"

#define COLUMNS              "{{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}"
#define COLUMNS_WITH_DIGESTS "{{.Repository}}\t{{.Tag}}\t{{.Digest}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}"
#define SHORT_ID_DIGITS      12

struct images_options {
    bool all, digests, no_trunc, quiet, tree;
    const char *format;
    struct strings filters;
};

static const char none[] = "<none>";

/* "sha256:0123…" as it is shown. */
static json_t *id_field(const char *id, bool whole)
{
    const char *digits = strncmp(id, "sha256:", 7) == 0 ? id + 7 : id;
    return whole ? json_string(id) : json_sprintf("%.*s", SHORT_ID_DIGITS, digits);
}

/* The digest under which `repository` knows the image, from its RepoDigests. */
static const char *digest_of(const json_t *image, const char *repository, size_t n_repository)
{
    const json_t *digests = field_at(image, "RepoDigests");
    for (size_t i = 0; i < json_array_size(digests); i++) {
        const char *text = json_string_value(json_array_get(digests, i)), *at = text ? strchr(text, '@') : NULL;
        if (at && (size_t)(at - text) == n_repository && strncmp(text, repository, n_repository) == 0) {
            return at + 1;
        }
    }
    return none;
}

static json_t *row_of(const json_t *image, const char *tag, const struct images_options *options)
{
    char age[HUMAN_BYTES], created_at[HUMAN_BYTES], size[HUMAN_BYTES];
    const char *colon = tag ? strrchr(tag, ':') : NULL;
    size_t n_repository = colon ? (size_t)(colon - tag) : 0;
    int64_t created = field_integer(image, "Created");
    (void)human_duration((int64_t)time(NULL) - created, age);
    (void)human_local_time(created, created_at);
    (void)human_size((uint64_t)field_integer(image, "Size"), size);
    json_int_t containers = field_integer(image, "Containers");
    return json_pack("{s:o*, s:o*, s:s, s:s, s:o*, s:s, s:s, s:s, s:o*, s:s, s:s}", "ID",
                     id_field(field_text(image, "Id"), options->no_trunc), "Repository",
                     colon ? json_sprintf("%.*s", (int)n_repository, tag) : json_string(none), "Tag",
                     colon ? colon + 1 : none, "Digest", colon ? digest_of(image, tag, n_repository) : none,
                     "CreatedSince", json_sprintf("%s ago", age), "CreatedAt", created_at, "Size", size, "VirtualSize",
                     size, "Containers",
                     containers < 0 ? json_string("N/A") : json_sprintf("%lld", (long long)containers), "SharedSize",
                     "N/A", "UniqueSize", "N/A");
}

static int add_rows(json_t *rows, const json_t *image, const struct images_options *options, struct bh_error *error)
{
    const json_t *tags = field_at(image, "RepoTags");
    if (options->quiet || json_array_size(tags) == 0) {
        const char *tag = json_string_value(json_array_get(tags, 0));
        return field_append(rows, row_of(image, tag, options), error);
    }
    for (size_t i = 0; i < json_array_size(tags); i++) {
        if (field_append(rows, row_of(image, json_string_value(json_array_get(tags, i)), options), error) < 0) {
            return -1;
        }
    }
    return 0;
}

static int build_path(const struct images_options *options, const struct strings *arguments, char **ret_path,
                      struct bh_error *error)
{
    strings_auto struct strings filters = {0};
    bh_autofree char *reference = NULL;
    for (size_t i = 0; i < options->filters.count; i++) {
        if (strings_add(&filters, options->filters.items[i], error) < 0) {
            return -1;
        }
    }
    if (arguments->count > 0 && (strings_format(&reference, error, "reference=%s", arguments->items[0]) < 0 ||
                                 strings_add(&filters, reference, error) < 0)) {
        return -1;
    }
    return strings_format(ret_path, error, "/images/json?all=%d%s", options->all,
                          options->digests ? "&digests=1" : "") < 0
               ? -1
               : filters_append(ret_path, &filters, error);
}

static int run(struct cli *cli, const void *values, const struct strings *arguments, struct bh_error *error)
{
    const struct images_options *options = values;
    bh_autofree char *path = NULL;
    json_auto json_t *images = NULL, *rows = json_array();
    if (options->tree) {
        return bh_error_set(error, BH_UNIMPLEMENTED,
                            "--tree shows the platforms of images, and this engine keeps one of each");
    }
    if (build_path(options, arguments, &path, error) < 0 ||
        engine_ask(cli->engine, "GET", path, NULL, &images, error) < 0) {
        return -1;
    }
    for (size_t i = 0; i < json_array_size(images); i++) {
        if (add_rows(rows, json_array_get(images, i), options, error) < 0) {
            return -1;
        }
    }
    json_auto json_t *headings = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "ID", "IMAGE ID", "Repository", "REPOSITORY", "Tag",
        "TAG", "Digest", "DIGEST", "CreatedSince", "CREATED", "CreatedAt", "CREATED AT", "Size", "SIZE", "VirtualSize",
        "SIZE", "Containers", "CONTAINERS", "SharedSize", "SHARED SIZE", "UniqueSize", "UNIQUE SIZE");
    const struct table table = {
        .format = options->format,
        .columns = options->digests ? COLUMNS_WITH_DIGESTS : COLUMNS,
        .quiet = options->quiet,
        .quiet_columns = "{{.ID}}",
        .headings = headings,
    };
    return table_print(&table, rows, stdout, error);
}

static const struct option options_table[] = {
    {OPTION_FLAG, "all", 'a', offsetof(struct images_options, all), NULL, "Show all images"},
    {OPTION_FLAG, "digests", 0, offsetof(struct images_options, digests), NULL, "Show digests"},
    {OPTION_LIST, "filter", 'f', offsetof(struct images_options, filters), "filter", "Filter by KEY=VALUE"},
    {OPTION_TEXT, "format", 0, offsetof(struct images_options, format), "string", "table, json, or a Go template"},
    {OPTION_FLAG, "no-trunc", 0, offsetof(struct images_options, no_trunc), NULL, "Do not shorten the output"},
    {OPTION_FLAG, "quiet", 'q', offsetof(struct images_options, quiet), NULL, "Print image IDs only"},
    {OPTION_FLAG, "tree", 0, offsetof(struct images_options, tree), NULL, "Refused: an image here has one platform"},
    {0},
};

const struct command images_command = {
    .name = "images",
    .aliases = "image ls, image list",
    .usage = "[OPTIONS] [REPOSITORY[:TAG]]",
    .summary = "List images",
    .options = options_table,
    .values_bytes = sizeof(struct images_options),
    .arguments_max = 1,
    .completes = COMPLETE_IMAGES,
    .run = run,
};
