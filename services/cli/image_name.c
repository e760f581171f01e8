/* SPDX-License-Identifier: Apache-2.0
 *
 * Splitting image references. Pure; the floor's strict parser stays out of this program, which would otherwise load
 * libcrypto for it at every start.
 */
#include "image_name.h"

#include <string.h>

#include "common/cleanup.h"
#include "string_list.h"

int image_name_split(const char *text, char **ret_name, const char **ret_tag, struct bh_error *error)
{
    const char *at = strchr(text, '@'), *slash = strrchr(text, '/');
    const char *colon = strchr(slash ? slash : text, ':');
    const char *end = colon && (!at || colon < at) ? colon : at;
    *ret_tag = at ? at + 1 : colon ? colon + 1 : NULL;
    if (*text == '\0' || end == text || (*ret_tag && **ret_tag == '\0')) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid reference format: \"%s\"", text);
    }
    return strings_format(ret_name, error, "%.*s", end ? (int)(end - text) : (int)strlen(text), text);
}

int image_name_registry(const char *text, char **ret_registry, struct bh_error *error)
{
    const char *slash = strchr(text, '/');
    size_t n_first = slash ? (size_t)(slash - text) : 0;
    bool is_host = memchr(text, '.', n_first) || memchr(text, ':', n_first) ||
                   (n_first == strlen("localhost") && strncmp(text, "localhost", n_first) == 0);
    return is_host ? strings_format(ret_registry, error, "%.*s", (int)n_first, text)
                   : strings_format(ret_registry, error, "docker.io");
}

int image_name_whole(const char *text, char **ret_whole, struct bh_error *error)
{
    bh_autofree char *registry = NULL, *name = NULL;
    const char *tag = NULL;
    if (image_name_registry(text, &registry, error) < 0 || image_name_split(text, &name, &tag, error) < 0) {
        return -1;
    }
    bool familiar = strcmp(registry, "docker.io") == 0 && !strings_begins(name, "docker.io/");
    const char *library = familiar && !strchr(name, '/') ? "library/" : "";
    return strings_format(ret_whole, error, "%s%s%s%s%s", familiar ? "docker.io/" : "", library, name,
                          strchr(text, '@') ? "@" : ":", tag ? tag : "latest");
}
