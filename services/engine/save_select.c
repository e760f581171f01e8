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

/* `name` is one of the image's, whole; NULL, or with a digest: the image goes out without it. */
static int add_image(struct selection *selection, struct job *job, const struct bh_digest *id, const char *name,
                     struct bh_error *error)
{
    struct saved_image *image = NULL;
    if (find_or_add(selection, job, id, &image, error) < 0) {
        return -1;
    }
    for (size_t i = 0; name && i < image->n_names; i++) {
        if (strcmp(image->names[i], name) == 0) {
            return 0;
        }
    }
    for (size_t i = 0; name && !strchr(name, '@') && i < image->row.n_names; i++) {
        if (strcmp(image->row.names[i], name) == 0) {
            image->names[image->n_names++] = image->row.names[i];
        }
    }
    return 0;
}

/* ---- all tags of a repository ------------------------------------------------------------------------ */

struct tag {
    const char *name;
    struct bh_digest id;
};

static int by_name(const void *a, const void *b)
{
    const struct tag *left = a, *right = b;
    return strcmp(left->name, right->name);
}

/* The tenant's names that begin with the first `length` characters of `repository` and end with a tag. */
static int find_tags(const struct image_row *rows, size_t n_rows, const char *repository, size_t length,
                     struct tag **ret_tags, size_t *ret_n_tags, struct bh_error *error)
{
    for (size_t i = 0; i < n_rows; i++) {
        for (size_t j = 0; j < rows[i].n_names; j++) {
            const char *name = rows[i].names[j];
            if (strncmp(name, repository, length) != 0 || strpbrk(name + length, ":/@")) {
                continue;
            }
            struct tag *grown = reallocarray(*ret_tags, *ret_n_tags + 1, sizeof *grown);
            if (!grown) {
                return bh_error_errno(error, ENOMEM, "list a repository's tags");
            }
            *ret_tags = grown;
            grown[(*ret_n_tags)++] = (struct tag){.name = name, .id = rows[i].id};
        }
    }
    if (*ret_n_tags > 0) {
        qsort(*ret_tags, *ret_n_tags, sizeof **ret_tags, by_name);
    }
    return 0;
}

/* `name` is one of the repository's, with any tag. */
static int add_all_tags(struct selection *selection, struct job *job, const char *name, bool *ret_found,
                        struct bh_error *error)
{
    bh_autofree struct tag *tags = NULL;
    struct image_row *rows = NULL;
    size_t n_rows = 0, n_tags = 0;
    int result = database_images(job->engine->database, job->tenant_uid, &rows, &n_rows, error);
    if (result == 0) {
        result = find_tags(rows, n_rows, name, (size_t)(strrchr(name, ':') - name) + 1, &tags, &n_tags, error);
    }
    for (size_t i = 0; result == 0 && i < n_tags; i++) {
        result = add_image(selection, job, &tags[i].id, tags[i].name, error);
    }
    image_rows_free(rows, n_rows);
    *ret_found = n_tags > 0;
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
    return add_image(selection, job, &id, *name ? name : NULL, error);
}
