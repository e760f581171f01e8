/* SPDX-License-Identifier: Apache-2.0
 *
 * Token requests and answers; see token.h.
 */
#include "token.h"

#include <jansson.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"

#define CLIENT_ID   "bulkhead"
#define SCOPES_SIZE 4096 /* nine of them, the longest names there are */

char *token_basic(const char *username, const char *password)
{
    bh_autofree char *plain = NULL;
    int length = asprintf(&plain, "%s:%s", username, password);
    if (length < 0) {
        plain = NULL;
        return NULL;
    }
    static const char prefix[] = "Basic ";
    char *value = malloc(sizeof(prefix) + 4 * ((size_t)length / 3 + 1));
    if (value) {
        memcpy(value, prefix, sizeof(prefix));
        (void)EVP_EncodeBlock((unsigned char *)value + sizeof(prefix) - 1, (const unsigned char *)plain, length);
    }
    return value;
}

/* Appends "&name=value" (or "?", or nothing before the first of a form), escaped for a query and a form alike. */
static void append_parameter(FILE *stream, const char *separator, const char *name, const char *value)
{
    (void)fprintf(stream, "%s%s=", separator, name);
    for (const char *at = value; *at; at++) {
        bool plain = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') || (*at >= '0' && *at <= '9') ||
                     strchr("-._~", *at);
        (void)fprintf(stream, plain ? "%c" : "%%%02X", (unsigned char)*at);
    }
}

/* One scope of the request. A challenge's own is taken if it is "repository[(class)]:NAME:pull" and that is all we
 * want; else it is ours. */
static const char *scope_text(const struct challenge *challenge, const struct token_scope *scope, size_t index,
                              char buffer[static CHALLENGE_SCOPE_SIZE])
{
    const char *theirs = challenge->scope;
    size_t length = strlen(theirs);
    bool pull_only = strncmp(theirs, "repository", 10) == 0 && length > 5 &&
                     strcmp(theirs + length - 5, ":pull") == 0 && !strchr(theirs, ' ');
    if (index > 0) {
        (void)snprintf(buffer, CHALLENGE_SCOPE_SIZE, "repository:%s:pull", scope->also_pull[index - 1]);
    } else if (pull_only && !scope->push) {
        (void)snprintf(buffer, CHALLENGE_SCOPE_SIZE, "%s", theirs);
    } else {
        (void)snprintf(buffer, CHALLENGE_SCOPE_SIZE, "repository:%s:pull%s", scope->repository,
                       scope->push ? ",push" : "");
    }
    return buffer;
}

static size_t scope_count(const struct token_scope *scope)
{
    return scope->repository[0] ? 1 + scope->n_also_pull : 0;
}

static int check_realm(const struct origin *registry, const struct origin *realm, bool has_secrets, bool trusted,
                       struct bh_error *error)
{
    bool same_host = strcmp(registry->host, realm->host) == 0;
    if (!realm->https && (registry->https || !same_host)) {
        return bh_error_set(error, BH_PERMISSION_DENIED,
                            "unauthorized: registry %s asks for a token from http://%s:%u; it must be https",
                            registry->host, realm->host, realm->port);
    }
    if (has_secrets && !same_host && !trusted && !url_same_site(registry->host, realm->host)) {
        return bh_error_set(
            error, BH_PERMISSION_DENIED,
            "unauthorized: registry %s asks to send its credentials to %s:%u; only its own domain or one "
            "that private_registries names may have them",
            registry->host, realm->host, realm->port);
    }
    return 0;
}

static int fill_target(struct token_request *request, const struct challenge *challenge,
                       const struct token_scope *scope, const struct token_credentials *credentials,
                       struct bh_error *error)
{
    bh_autofree char *target = NULL;
    size_t n_bytes = 0;
    FILE *stream = open_memstream(&target, &n_bytes);
    if (!stream) {
        return bh_error_errno(error, errno, "hold a token request");
    }
    (void)fputs(request->url.target, stream);
    const char *separator = strchr(request->url.target, '?') ? "&" : "?";
    if (challenge->service[0]) {
        append_parameter(stream, separator, "service", challenge->service);
        separator = "&";
    }
    char buffer[CHALLENGE_SCOPE_SIZE];
    for (size_t i = 0; i < scope_count(scope); i++) {
        append_parameter(stream, separator, "scope", scope_text(challenge, scope, i, buffer));
        separator = "&";
    }
    if (scope_count(scope) == 0) {
        append_parameter(stream, separator, "offline_token", "true"); /* logging in: an identity token is welcome */
        append_parameter(stream, "&", "client_id", CLIENT_ID);
    }
    if (credentials->username[0]) {
        append_parameter(stream, "&", "account", credentials->username);
    }
    if (fclose(stream) != 0 || n_bytes >= sizeof(request->url.target)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "the registry's token request is longer than %d bytes",
                            URL_TARGET_SIZE);
    }
    memcpy(request->url.target, target, n_bytes + 1);
    return 0;
}

static int fill_form(struct token_request *request, const struct challenge *challenge, const struct token_scope *scope,
                     const struct token_credentials *credentials, struct bh_error *error)
{
    size_t n_bytes = 0;
    FILE *stream = open_memstream(&request->form, &n_bytes);
    if (!stream) {
        return bh_error_errno(error, errno, "hold a token request");
    }
    append_parameter(stream, "", "grant_type", "refresh_token");
    append_parameter(stream, "&", "service", challenge->service);
    append_parameter(stream, "&", "client_id", CLIENT_ID);
    char buffer[CHALLENGE_SCOPE_SIZE], all[SCOPES_SIZE] = "";
    for (size_t i = 0, used = 0; i < scope_count(scope) && used < sizeof(all); i++) {
        int n = snprintf(all + used, sizeof(all) - used, "%s%s", i ? " " : "", scope_text(challenge, scope, i, buffer));
        used += n > 0 ? (size_t)n : 0;
    }
    if (all[0]) {
        append_parameter(stream, "&", "scope", all); /* one parameter with spaces, as OAuth 2 has it */
    }
    append_parameter(stream, "&", "refresh_token", credentials->identity_token);
    return fclose(stream) == 0 ? 0 : bh_error_errno(error, errno, "hold a token request");
}

int token_request_make(const struct origin *registry, const struct challenge *challenge,
                       const struct token_scope *scope, const struct token_credentials *credentials,
                       bool (*trusts)(const struct origin *origin, void *argument), void *argument,
                       struct token_request *ret_request, struct bh_error *error)
{
    *ret_request = (struct token_request){0};
    if (url_parse(challenge->realm, &ret_request->url, error) < 0) {
        return bh_error_wrap(error, "read the token realm of registry %s", registry->host);
    }
    const struct origin *realm = &ret_request->url.origin;
    bool has_secrets = credentials->username[0] || credentials->identity_token[0];
    if (check_realm(registry, realm, has_secrets, trusts && trusts(realm, argument), error) < 0) {
        return -1;
    }
    if (credentials->identity_token[0]) {
        return fill_form(ret_request, challenge, scope, credentials, error);
    }
    if (fill_target(ret_request, challenge, scope, credentials, error) < 0) {
        return -1;
    }
    if (credentials->username[0]) {
        ret_request->authorization = token_basic(credentials->username, credentials->password);
        if (!ret_request->authorization) {
            return bh_error_errno(error, ENOMEM, "hold the credentials");
        }
    }
    return 0;
}

/* Credentials do not linger in freed memory. */
static void forget(char *secret)
{
    if (secret) {
        explicit_bzero(secret, strlen(secret));
        free(secret);
    }
}

void token_request_clear(struct token_request *request)
{
    forget(request->authorization);
    forget(request->form);
    *request = (struct token_request){0};
}

/* A token is what may stand in an Authorization header: visible ASCII. */
static int copy_token(const json_t *value, char **ret_token, struct bh_error *error)
{
    const char *text = json_string_value(value);
    size_t length = text ? json_string_length(value) : 0;
    bool sound = length > 0 && length <= TOKEN_BYTES_MAX;
    for (size_t i = 0; sound && i < length; i++) {
        sound = text[i] > 0x20 && text[i] < 0x7f;
    }
    if (!sound) {
        return bh_error_set(error, BH_UNAUTHENTICATED,
                            "unauthorized: the token server's answer must hold a token of 1 to %d visible characters",
                            TOKEN_BYTES_MAX);
    }
    *ret_token = strdup(text);
    return *ret_token ? 0 : bh_error_errno(error, ENOMEM, "hold a token");
}

int token_reply_parse(const char *body, size_t body_bytes, char **ret_token, char **ret_refresh_token,
                      struct bh_error *error)
{
    json_t *root = json_loadb(body, body_bytes, JSON_REJECT_DUPLICATES, NULL);
    const json_t *token = json_object_get(root, "token");
    if (!json_string_length(token)) {
        token = json_object_get(root, "access_token");
    }
    const json_t *refresh = json_object_get(root, "refresh_token");
    bh_autofree char *copied = NULL;
    char *refresh_copy = NULL;
    int result = copy_token(token, &copied, error);
    if (result == 0 && json_string_length(refresh) > 0) {
        result = copy_token(refresh, &refresh_copy, error);
    }
    json_decref(root);
    if (result == 0) {
        *ret_token = bh_steal_pointer(&copied);
        *ret_refresh_token = refresh_copy;
    }
    return result;
}
