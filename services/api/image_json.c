/* SPDX-License-Identifier: Apache-2.0
 *
 * See image_json.h.
 */
#include "image_json.h"

#include "json_types.h"

#define NS_PER_SECOND 1000000000LL

void write_image_names(struct json_writer *writer, const Bulkhead__ImageSummary *image, unsigned version)
{
    static const char *const no_tag[] = {"<none>:<none>"};
    static const char *const no_digest[] = {"<none>@<none>"};
    if (version < 43 && image->n_tags == 0 && image->n_digests == 0) { /* what old clients look for */
        write_words(writer, "RepoTags", no_tag, 1);
        write_words(writer, "RepoDigests", no_digest, 1);
        return;
    }
    write_strings(writer, "RepoTags", image->tags, image->n_tags, false);
    write_strings(writer, "RepoDigests", image->digests, image->n_digests, version < 43);
}

void write_image_summary(struct json_writer *writer, const Bulkhead__ImageSummary *image,
                         const struct image_summary_form *form)
{
    write_object(writer, NULL);
    write_int(writer, "Containers", form->containers ? (int64_t)image->containers : -1);
    write_int(writer, "Created", image->created_ns / NS_PER_SECOND);
    write_digest(writer, "Id", &image->id);
    if (image->n_labels > 0) {
        write_map(writer, "Labels", image->labels, image->n_labels);
    } else {
        write_null(writer, "Labels");
    }
    write_digest(writer, "ParentId", &image->parent);
    write_image_names(writer, image, form->version);
    write_int(writer, "SharedSize", form->shared_size ? (int64_t)image->shared_bytes : -1);
    write_uint(writer, "Size", image->size_bytes);
    if (form->version < 44) {
        write_uint(writer, "VirtualSize", image->size_bytes);
    }
    write_object_end(writer);
}
