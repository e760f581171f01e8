/* SPDX-License-Identifier: Apache-2.0
 *
 * $DOCKER_CONFIG/config.json or ~/.docker/config.json: the `auths` that Docker's clients keep there. Credential
 * helpers are programs, and none is run.
 */
#include "registry_auth.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base64.h"
#include "common/io.h"
#include "common/limits.h"
#include "fields.h"
#include "image_name.h"
#include "string_list.h"

#define CONFIG_BYTES_MAX (1 * BH_MIB)
#define HUB_KEY          "https://index.docker.io/v1/"

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

static int config_path(char **ret_folder, char **ret_path, struct bh_error *error)
{
    const char *folder = getenv("DOCKER_CONFIG"), *home = getenv("HOME");
    bool own = folder && *folder;
    if (!own && !(home && *home)) {
        return bh_error_set(error, BH_FAILED_PRECONDITION, "neither DOCKER_CONFIG nor HOME is set");
    }
    return strings_format(ret_folder, error, "%s%s", own ? folder : home, own ? "" : "/.docker") < 0
               ? -1
               : strings_format(ret_path, error, "%s/config.json", *ret_folder);
}

/* The configuration; *ret_config is NULL if there is none. One that is no JSON object is an error. */
static int read_config(json_t **ret_config, struct bh_error *error)
{
    bh_autofree char *folder = NULL, *path = NULL, *text = NULL;
    size_t n_text = 0;
    *ret_config = NULL;
    if (config_path(&folder, &path, error) < 0) {
        return -1;
    }
    bh_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return errno == ENOENT ? 0 : bh_error_errno(error, errno, "open %s", path);
    }
    if (bh_read_file(fd, CONFIG_BYTES_MAX, &text, &n_text, path, error) < 0) {
        return -1;
    }
    json_t *config = json_loadb(text, n_text, 0, NULL);
    if (!json_is_object(config)) {
        json_decref(config);
        return bh_error_set(error, BH_INVALID_ARGUMENT, "%s is not a JSON object", path);
    }
    *ret_config = config;
    return 0;
}

static int write_config(const json_t *config, struct bh_error *error)
{
    bh_autofree char *folder = NULL, *path = NULL, *temporary = NULL, *text = json_dumps(config, JSON_INDENT(4));
    if (config_path(&folder, &path, error) < 0 || strings_format(&temporary, error, "%s.XXXXXX", path) < 0) {
        return -1;
    }
    if (mkdir(folder, 0700) < 0 && errno != EEXIST) {
        return bh_error_errno(error, errno, "make the folder %s", folder);
    }
    bh_autoclose int fd = text ? mkostemp(temporary, O_CLOEXEC) : -1; /* with mode 0600 */
    if (fd < 0) {
        return bh_error_errno(error, errno, "make a file beside %s", path);
    }
    if (bh_write_all(fd, text, strlen(text), temporary, error) == 0 && (fsync(fd) < 0 || rename(temporary, path) < 0)) {
        (void)bh_error_errno(error, errno, "replace %s", path);
    }
    if (error->code) {
        (void)unlink(temporary);
        return -1;
    }
    return 0;
}

int registry_auth_key(const char *server, char **ret_key, struct bh_error *error)
{
    static const char *const schemes[] = {"https://", "http://"};
    for (size_t i = 0; i < 2; i++) {
        server += strings_begins(server, schemes[i]) ? strlen(schemes[i]) : 0;
    }
    size_t length = strcspn(server, "/");
    static const char *const hub[] = {"", "docker.io", "index.docker.io", "registry-1.docker.io"};
    for (size_t i = 0; i < sizeof(hub) / sizeof(*hub); i++) {
        if (strlen(hub[i]) == length && strncmp(server, hub[i], length) == 0) {
            return strings_format(ret_key, error, "%s", HUB_KEY);
        }
    }
    return strings_format(ret_key, error, "%.*s", (int)length, server);
}

int registry_auth_store(const char *key, const char *user, const char *password, const char *identity_token,
                        struct bh_error *error)
{
    json_auto json_t *config = NULL;
    bh_autofree char *plain = NULL;
    /* with a token the password is not kept */
    if (read_config(&config, error) < 0 ||
        strings_format(&plain, error, "%s:%s", user, *identity_token ? "" : password) < 0) {
        return -1;
    }
    config = config ? config : json_object();
    json_t *auths = json_object_get(config, "auths");
    if (!json_is_object(auths) && field_set(config, "auths", auths = json_object(), error) < 0) {
        return -1;
    }
    bh_autofree char *encoded = base64_encode(plain);
    for (char *at = encoded; at && *at; at++) { /* docker reads the other alphabet here */
        *at = (char)(*at == '-' ? '+' : *at == '_' ? '/' : *at);
    }
    json_t *entry = encoded ? json_pack("{s:s}", "auth", encoded) : NULL;
    if (field_set(auths, key, entry, error) < 0 ||
        (*identity_token && field_set(entry, "identitytoken", json_string(identity_token), error) < 0)) {
        return -1;
    }
    return write_config(config, error);
}

int registry_auth_forget(const char *key, bool *ret_found, struct bh_error *error)
{
    json_auto json_t *config = NULL;
    if (read_config(&config, error) < 0) {
        return -1;
    }
    *ret_found = json_object_del(json_object_get(config, "auths"), key) == 0;
    return *ret_found ? write_config(config, error) : 0;
}

int registry_auth_header(const char *reference, char **ret_header, struct bh_error *error)
{
    bh_autofree char *registry = NULL;
    *ret_header = NULL;
    if (image_name_registry(reference, &registry, error) < 0) {
        return -1;
    }
    json_auto json_t *config = NULL;
    if (read_config(&config, NULL) < 0) {
        return 0; /* a pull may well do without credentials */
    }
    const char *key = strcmp(registry, "docker.io") == 0 ? HUB_KEY : registry;
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
