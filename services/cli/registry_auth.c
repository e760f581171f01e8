/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads $DOCKER_CONFIG/config.json or ~/.docker/config.json: the `auths` that Docker's clients keep there. Credential
 * helpers are programs, and none is run.
 */
#include "registry_auth.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base64.h"
#include "common/io.h"
#include "common/limits.h"
#include "fields.h"
#include "image_name.h"
#include "string_list.h"

#define CONFIG_BYTES_MAX (1 * BH_MIB)

int registry_auth_encode(const char *user, const char *password, const char *identity_token, const char *registry,
                         char **ret_header, struct bh_error *error)
{
    json_auto json_t *auth =
        *identity_token
            ? json_pack("{s:s, s:s}", "identitytoken", identity_token, "serveraddress", registry)
            : json_pack("{s:s, s:s, s:s}", "username", user, "password", password, "serveraddress", registry);
    bh_autofree char *text = auth ? json_dumps(auth, JSON_COMPACT) : NULL, *encoded = text ? base64_encode(text) : NULL;
    if (!encoded) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "the credentials for %s are not valid UTF-8", registry);
    }
    return strings_format(ret_header, error, "X-Registry-Auth: %s\r\n", encoded);
}

/* The configuration as JSON; NULL if there is none that can be read. */
static json_t *read_config(void)
{
    const char *folder = getenv("DOCKER_CONFIG"), *home = getenv("HOME");
    bh_autofree char *path = NULL, *text = NULL;
    size_t n_text = 0;
    if ((!folder || !*folder) && !home) {
        return NULL;
    }
    bool own = folder && *folder;
    if (strings_format(&path, NULL, "%s%s/config.json", own ? folder : home, own ? "" : "/.docker") < 0) {
        return NULL;
    }
    bh_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || bh_read_file(fd, CONFIG_BYTES_MAX, &text, &n_text, path, NULL) < 0) {
        return NULL;
    }
    return json_loadb(text, n_text, 0, NULL);
}

int registry_auth_header(const char *reference, char **ret_header, struct bh_error *error)
{
    bh_autofree char *registry = NULL;
    *ret_header = NULL;
    if (image_name_registry(reference, &registry, error) < 0) {
        return -1;
    }
    json_auto json_t *config = read_config();
    const char *key = strcmp(registry, "docker.io") == 0 ? "https://index.docker.io/v1/" : registry;
    json_t *entry = json_object_get(json_object_get(config, "auths"), key);
    if (!entry) {
        return 0;
    }
    bh_autofree char *decoded = base64_decode(field_text(entry, "auth"));
    char *colon = decoded ? strchr(decoded, ':') : NULL;
    const char *token = field_text(entry, "identitytoken");
    if (!colon && !*token) {
        return 0;
    }
    if (colon) {
        *colon = '\0';
    }
    return registry_auth_encode(colon ? decoded : "", colon ? colon + 1 : "", token, key, ret_header, error);
}
