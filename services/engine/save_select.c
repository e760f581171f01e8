/* SPDX-License-Identifier: Apache-2.0
 *
 * See save_select.h.
 */
#include "services/engine/save_select.h"

#include <errno.h>
#include <string.h>

#include "services/engine/resolve.h"

#define IMAGES_MAX 256 /* each holds its layers, in a table that all share */

void selection_end(struct selection *selection)
{
    for (size_t i = 0; i < selection->n_images; i++) {
        image_row_clear(&selection->images[i].row);
        free(selection->images[i].names);
    }
    free(selection->images);
    *selection = (struct selection){0};
}

static int find_or_add(struct selection *selection, struct job *job, const struct bh_digest *id,
                       struct saved_image **ret_image, struct bh_error *error)
{
    for (size_t i = 0; i < selection->n_images; i++) {
        if (bh_digest_equal(&selection->images[i].row.id, id)) {
            *ret_image = &selection->images[i];
            return 0;
        }
    }
    if (selection->n_images == IMAGES_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "more than %d images for one archive", IMAGES_MAX);
    }
    struct saved_image *grown = reallocarray(selection->images, selection->n_images + 1, sizeof *selection->images);
    if (!grown) {
        return bh_error_errno(error, ENOMEM, "list the images to save");
    }
    selection->images = grown;
    struct saved_image image = {0};
    if (database_image(job->engine->database, job->tenant_uid, id, &image.row, error) < 0) {
        return -1;
    }
    image.names = calloc(image.row.n_names + 1, sizeof *image.names);
    if (!image.names) {
        image_row_clear(&image.row);
        return bh_error_errno(error, ENOMEM, "list an image's names");
    }
    *ret_image = &grown[selection->n_images];
    grown[selection->n_images++] = image;
    return 0;
}

/* Adds those of the image's tags that `wanted` means: it whole, or (`any_tag`) what is before its tag. */
static void add_names(struct saved_image *image, const char *wanted, bool any_tag)
{
    size_t length = any_tag ? (size_t)(strrchr(wanted, ':') - wanted) + 1 : strlen(wanted) + 1;
    for (size_t i = 0; i < image->row.n_names; i++) {
        const char *name = image->row.names[i];
        bool known = false;
        for (size_t j = 0; j < image->n_names; j++) {
            known = known || strcmp(image->names[j], name) == 0;
        }
        if (!known && !strchr(name, '@') && strncmp(name, wanted, length) == 0 &&
            (!any_tag || !strpbrk(name + length, ":/"))) {
            image->names[image->n_names++] = name;
        }
    }
}

static int add_id(struct selection *selection, struct job *job, const struct bh_digest *id, const char *name,
                  bool any_tag, struct bh_error *error)
{
    struct saved_image *image = NULL;
    if (find_or_add(selection, job, id, &image, error) < 0) {
        return -1;
    }
    if (name && !strchr(name, '@')) {
        add_names(image, name, any_tag);
    }
    return 0;
}

/* Every image with a tag of this repository. `name` is one of its names, with any tag. */
static int add_all_tags(struct selection *selection, struct job *job, const char *name, bool *ret_found,
                        struct bh_error *error)
{
    size_t length = (size_t)(strrchr(name, ':') - name) + 1;
    struct image_row *rows = NULL;
    size_t n_rows = 0;
    int result = database_images(job->engine->database, job->tenant_uid, &rows, &n_rows, error);
    for (size_t i = 0; result == 0 && i < n_rows; i++) {
        for (size_t j = 0; result == 0 && j < rows[i].n_names; j++) {
            const char *other = rows[i].names[j];
            if (strncmp(other, name, length) == 0 && !strpbrk(other + length, ":/@")) {
                *ret_found = true;
                result = add_id(selection, job, &rows[i].id, name, true, error);
                break;
            }
        }
    }
    image_rows_free(rows, n_rows);
    return result;
}

int selection_add(struct selection *selection, struct job *job, const char *reference, struct bh_error *error)
{
    struct bh_reference parsed;
    struct bh_digest id;
    struct bh_error not_a_name;
    char name[BH_REFERENCE_BYTES_MAX + 1];
    if (bh_reference_parse(reference, &parsed, &not_a_name) == 0 && !parsed.tag[0] && !parsed.has_digest) {
        bool found = false;
        if (resolve_reference(reference, &parsed, name, error) < 0 ||
            add_all_tags(selection, job, name, &found, error) < 0) {
            return -1;
        }
        if (found) {
            return 0;
        }
    }
    if (resolve_image(job->engine->database, job->tenant_uid, reference, &id, name, error) < 0) {
        return -1;
    }
    return add_id(selection, job, &id, *name ? name : NULL, false, error);
}
