/* SPDX-License-Identifier: Apache-2.0
 *
 * Sums as Docker's client makes them: what of an image is shared with others is not reclaimable by removing it.
 */
#include "system_df.h"

#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "fields.h"
#include "human.h"
#include "table.h"

#define SHORT_ID_DIGITS    12
#define COMMAND_CHARACTERS 20

struct sums {
    const char *type;
    size_t total, active;
    int64_t bytes, reclaimable_bytes;
    bool plain; /* no percentage */
};

static struct sums sum_images(const json_t *usage)
{
    const json_t *images = field_at(usage, "Images");
    struct sums sums = {
        .type = "Images", .total = json_array_size(images), .bytes = field_integer(usage, "LayersSize")};
    int64_t used = 0;
    for (size_t i = 0; i < sums.total; i++) {
        const json_t *image = json_array_get(images, i);
        int64_t size = field_integer(image, "Size"), shared = field_integer(image, "SharedSize");
        if (field_integer(image, "Containers") > 0) {
            sums.active++;
            used += size != -1 && shared != -1 ? size - shared : 0;
        }
    }
    sums.reclaimable_bytes = sums.bytes - used;
    return sums;
}

static bool is_active(const char *state)
{
    return strcmp(state, "running") == 0 || strcmp(state, "paused") == 0 || strcmp(state, "restarting") == 0;
}

static struct sums sum_containers(const json_t *usage)
{
    const json_t *containers = field_at(usage, "Containers");
    struct sums sums = {.type = "Containers", .total = json_array_size(containers)};
    for (size_t i = 0; i < sums.total; i++) {
        const json_t *container = json_array_get(containers, i);
        int64_t size = field_integer(container, "SizeRw");
        bool active = is_active(field_text(container, "State"));
        sums.active += active;
        sums.bytes += size;
        sums.reclaimable_bytes += active ? 0 : size;
    }
    return sums;
}

static struct sums sum_volumes(const json_t *usage)
{
    const json_t *volumes = field_at(usage, "Volumes");
    struct sums sums = {.type = "Local Volumes", .total = json_array_size(volumes)};
    for (size_t i = 0; i < sums.total; i++) {
        const json_t *volume = json_array_get(volumes, i);
        int64_t size = field_integer(volume, "UsageData.Size");
        bool active = field_integer(volume, "UsageData.RefCount") > 0;
        size = size > 0 ? size : 0;
        sums.active += active;
        sums.bytes += size;
        sums.reclaimable_bytes += active ? 0 : size;
    }
    return sums;
}

static struct sums sum_build_cache(const json_t *usage)
{
    const json_t *records = field_at(usage, "BuildCache");
    struct sums sums = {.type = "Build Cache", .total = json_array_size(records), .plain = true};
    for (size_t i = 0; i < sums.total; i++) {
        const json_t *record = json_array_get(records, i);
        int64_t size = field_truth(record, "Shared") ? 0 : field_integer(record, "Size");
        bool active = field_truth(record, "InUse");
        sums.active += active;
        sums.bytes += size;
        sums.reclaimable_bytes += active ? 0 : size;
    }
    return sums;
}

static json_t *row_of(const struct sums *sums)
{
    char size[HUMAN_BYTES], reclaimable[HUMAN_BYTES];
    int64_t left = sums->reclaimable_bytes > 0 ? sums->reclaimable_bytes : 0;
    (void)human_size_precise((uint64_t)sums->bytes, size);
    (void)human_size_precise((uint64_t)left, reclaimable);
    bool percent = !sums->plain && sums->bytes > 0;
    return json_pack("{s:s, s:o, s:o, s:s, s:o}", "Type", sums->type, "TotalCount", json_sprintf("%zu", sums->total),
                     "Active", json_sprintf("%zu", sums->active), "Size", size, "Reclaimable",
                     percent ? json_sprintf("%s (%lld%%)", reclaimable, (long long)(left * 100 / sums->bytes))
                             : json_string(reclaimable));
}

int system_df_summary(const json_t *usage, json_t **ret_rows, struct bh_error *error)
{
    json_auto json_t *rows = json_array();
    const struct sums all[] = {sum_images(usage), sum_containers(usage), sum_volumes(usage), sum_build_cache(usage)};
    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
        if (field_append(rows, row_of(&all[i]), error) < 0) {
            return -1;
        }
    }
    *ret_rows = bh_steal_pointer(&rows);
    return 0;
}

static json_t *short_id(const char *id)
{
    const char *digits = strncmp(id, "sha256:", 7) == 0 ? id + 7 : id;
    return json_sprintf("%.*s", SHORT_ID_DIGITS, digits);
}

static const char *age_of(const json_t *object, char buffer[static HUMAN_BYTES])
{
    return human_duration((int64_t)time(NULL) - field_integer(object, "Created"), buffer);
}

static json_t *image_row(const json_t *image)
{
    char age[HUMAN_BYTES], size[HUMAN_BYTES], shared[HUMAN_BYTES], own[HUMAN_BYTES];
    const char *tag = json_string_value(json_array_get(field_at(image, "RepoTags"), 0)),
               *colon = tag ? strrchr(tag, ':') : NULL;
    int64_t bytes = field_integer(image, "Size"), shared_bytes = field_integer(image, "SharedSize");
    shared_bytes = shared_bytes > 0 ? shared_bytes : 0;
    return json_pack("{s:o, s:s, s:o, s:o, s:s, s:s, s:s, s:o}", "Repository",
                     colon ? json_stringn(tag, (size_t)(colon - tag)) : json_string("<none>"), "Tag",
                     colon ? colon + 1 : "<none>", "ID", short_id(field_text(image, "Id")), "Created",
                     json_sprintf("%s ago", age_of(image, age)), "Size", human_size((uint64_t)bytes, size), "Shared",
                     human_size_precise((uint64_t)shared_bytes, shared), "Unique",
                     human_size_precise((uint64_t)(bytes - shared_bytes), own), "Containers",
                     json_sprintf("%lld", (long long)field_integer(image, "Containers")));
}

static json_t *container_row(const json_t *container)
{
    char age[HUMAN_BYTES], size[HUMAN_BYTES];
    json_auto json_t *command = human_shorten(field_text(container, "Command"), COMMAND_CHARACTERS);
    const json_t *mounts = field_at(container, "Mounts");
    const char *name = json_string_value(json_array_get(field_at(container, "Names"), 0));
    size_t volumes = 0;
    for (size_t i = 0; i < json_array_size(mounts); i++) {
        volumes += strcmp(field_text(json_array_get(mounts, i), "Type"), "volume") == 0;
    }
    return json_pack("{s:o, s:s, s:o, s:o, s:s, s:o, s:s, s:s}", "ID", short_id(field_text(container, "Id")), "Image",
                     field_text(container, "Image"), "Command", json_sprintf("\"%s\"", json_string_value(command)),
                     "Volumes", json_sprintf("%zu", volumes), "Size",
                     human_size((uint64_t)field_integer(container, "SizeRw"), size), "Created",
                     json_sprintf("%s ago", age_of(container, age)), "Status", field_text(container, "Status"), "Names",
                     name ? name + (*name == '/') : "");
}

static json_t *volume_row(const json_t *volume)
{
    char size[HUMAN_BYTES];
    int64_t bytes = field_integer(volume, "UsageData.Size");
    return json_pack("{s:s, s:o, s:s}", "Name", field_text(volume, "Name"), "Links",
                     json_sprintf("%lld", (long long)field_integer(volume, "UsageData.RefCount")), "Size",
                     bytes < 0 ? "N/A" : human_size_precise((uint64_t)bytes, size));
}

static const struct {
    const char *title, *key, *columns;
    json_t *(*row)(const json_t *object);
    struct table_heading headings[9];
} kinds[] = {
    {"Images space usage:",
     "Images",
     "{{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.Created}}\t{{.Size}}\t{{.Shared}}\t{{.Unique}}\t{{.Containers}}",
     image_row,
     {{"Repository", "REPOSITORY"},
      {"Tag", "TAG"},
      {"ID", "IMAGE ID"},
      {"Created", "CREATED"},
      {"Size", "SIZE"},
      {"Shared", "SHARED SIZE"},
      {"Unique", "UNIQUE SIZE"},
      {"Containers", "CONTAINERS"},
      {0}}},
    {"Containers space usage:",
     "Containers",
     "{{.ID}}\t{{.Image}}\t{{.Command}}\t{{.Volumes}}\t{{.Size}}\t{{.Created}}\t{{.Status}}\t{{.Names}}",
     container_row,
     {{"ID", "CONTAINER ID"},
      {"Image", "IMAGE"},
      {"Command", "COMMAND"},
      {"Volumes", "LOCAL VOLUMES"},
      {"Size", "SIZE"},
      {"Created", "CREATED"},
      {"Status", "STATUS"},
      {"Names", "NAMES"},
      {0}}},
    {"Local Volumes space usage:",
     "Volumes",
     "{{.Name}}\t{{.Links}}\t{{.Size}}",
     volume_row,
     {{"Name", "VOLUME NAME"}, {"Links", "LINKS"}, {"Size", "SIZE"}, {0}}},
};

int system_df_print_verbose(const json_t *usage, FILE *stream, struct bh_error *error)
{
    char size[HUMAN_BYTES];
    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
        const json_t *objects = field_at(usage, kinds[i].key);
        json_auto json_t *rows = json_array(), *headings = table_headings(kinds[i].headings);
        for (size_t at = 0; at < json_array_size(objects); at++) {
            if (field_append(rows, kinds[i].row(json_array_get(objects, at)), error) < 0) {
                return -1;
            }
        }
        const struct table table = {.columns = kinds[i].columns, .headings = headings};
        (void)fprintf(stream, "%s%s\n\n", i ? "\n" : "", kinds[i].title);
        if (table_print(&table, rows, stream, error) < 0) {
            return -1;
        }
    }
    const struct sums cache = sum_build_cache(usage);
    (void)fprintf(stream, "\nBuild cache usage: %s\n", human_size_precise((uint64_t)cache.bytes, size));
    return 0;
}
