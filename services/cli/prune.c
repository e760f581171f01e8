/* SPDX-License-Identifier: Apache-2.0
 *
 * POST .../prune and how its answer is told.
 */
#include "prune.h"

#include <stdio.h>

#include "confirm.h"
#include "fields.h"
#include "filters.h"
#include "human.h"

const struct prune_kind prune_containers = {"/containers/prune", "Deleted Containers", "ContainersDeleted", true};
const struct prune_kind prune_images = {"/images/prune", "Deleted Images", "ImagesDeleted", true};
const struct prune_kind prune_volumes = {"/volumes/prune", "Deleted Volumes", "VolumesDeleted", true};
const struct prune_kind prune_networks = {"/networks/prune", "Deleted Networks", "NetworksDeleted", false};

/* An element is a name, or for images {"Untagged"} or {"Deleted"}. */
static void print_deleted(const json_t *element)
{
    const char *untagged = field_text(element, "Untagged"), *deleted = field_text(element, "Deleted");
    if (json_is_string(element)) {
        (void)printf("%s\n", json_string_value(element));
    } else if (*untagged) {
        (void)printf("untagged: %s\n", untagged);
    } else if (*deleted) {
        (void)printf("deleted: %s\n", deleted);
    }
}

int prune(struct cli *cli, const struct prune_kind *kind, const struct strings *filters, const char *extra_filter,
          uint64_t *reclaimed_bytes, struct bh_error *error)
{
    strings_auto struct strings all = {0};
    bh_autofree char *path = NULL;
    json_auto json_t *answer = NULL;
    for (size_t i = 0; i < filters->count; i++) {
        if (strings_add(&all, filters->items[i], error) < 0) {
            return -1;
        }
    }
    if ((extra_filter && strings_add(&all, extra_filter, error) < 0) ||
        strings_format(&path, error, "%s", kind->path) < 0 || filters_append(&path, &all, error) < 0 ||
        engine_ask(cli->engine, "POST", path, NULL, &answer, error) < 0) {
        return -1;
    }
    const json_t *deleted = field_at(answer, kind->key);
    if (json_array_size(deleted) > 0) {
        (void)printf("%s:\n", kind->title);
        for (size_t i = 0; i < json_array_size(deleted); i++) {
            print_deleted(json_array_get(deleted, i));
        }
        (void)putchar('\n');
    }
    *reclaimed_bytes += (uint64_t)field_integer(answer, "SpaceReclaimed");
    return 0;
}

int prune_run(struct cli *cli, const struct prune_kind *kind, const struct prune_options *options, const char *warning,
              const char *extra_filter, struct bh_error *error)
{
    uint64_t reclaimed_bytes = 0;
    if (!options->force && !confirm(warning)) {
        return 0;
    }
    if (prune(cli, kind, &options->filters, extra_filter, &reclaimed_bytes, error) < 0) {
        return -1;
    }
    if (kind->has_size) {
        prune_print_total(reclaimed_bytes);
    }
    return 0;
}

void prune_print_total(uint64_t reclaimed_bytes)
{
    char size[HUMAN_BYTES];
    (void)printf("Total reclaimed space: %s\n", human_size_precise(reclaimed_bytes, size));
}
