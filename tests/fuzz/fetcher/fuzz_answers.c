/* SPDX-License-Identifier: Apache-2.0
 *
 * What a registry answers beside blobs: heads, line by line, a list of tags, an error. Whatever is taken for a tag
 * follows the grammar, and whatever is told of an upload fits its number.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "registry_error.h"
#include "response.h"
#include "tags.h"
#include "fuzz.h"

static void read_head(const char *text)
{
    static struct response response;
    struct bh_error error = {0};
    response = (struct response){0};
    for (const char *line = text; *line;) {
        size_t length = strcspn(line, "\n");
        length += line[length] == '\n';
        if (response_line(&response, line, length, &error) < 0) {
            return;
        }
        line += length;
    }
    if (response.has_next && strlen(response.next) >= sizeof(response.next)) {
        fuzz_wrong();
    }
}

static void read_tags(const char *text, size_t n_bytes)
{
    json_t *json = NULL;
    bh_autofree char **tags = NULL;
    size_t n_tags = 0;
    struct bh_error error = {0};
    if (tags_parse(text, n_bytes, &json, &tags, &n_tags, &error) < 0) {
        return;
    }
    for (size_t i = 0; i < n_tags; i++) {
        if (!tags_is_tag(tags[i])) {
            fuzz_wrong();
        }
    }
    json_decref(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes)
{
    static const struct registry_subject subject = {"registry.example", "a/b", NULL, "sha256:00", true};
    struct bh_error error = {0};
    bh_autofree char *text = strndup((const char *)bytes, n_bytes);
    read_head(text);
    read_tags((const char *)bytes, n_bytes);
    (void)registry_error(&subject, 400, (const char *)bytes, n_bytes, &error);
    return 0;
}
