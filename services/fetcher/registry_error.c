/* SPDX-License-Identifier: Apache-2.0
 *
 * The distribution specification's errors ("errors": [{"code", "message", "detail"}]) in Docker's words; see
 * registry_error.h.
 */
#include "registry_error.h"

#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define CODE_SIZE    64
#define MESSAGE_SIZE 256
#define NAME_SIZE    512

struct said {
    char code[CODE_SIZE];       /* "MANIFEST_UNKNOWN"; empty if the body says nothing we understand */
    char message[MESSAGE_SIZE]; /* its text */
};

static void copy(char *to, size_t to_size, const json_t *from)
{
    const char *text = json_string_value(from);
    (void)snprintf(to, to_size, "%s", text ? text : "");
}

/* Reads the first error of the list, or the single "details" that Docker Hub's token server sends. */
static void read_body(const char *body, size_t body_bytes, struct said *said)
{
    *said = (struct said){0};
    json_t *root = body_bytes > 0 ? json_loadb(body, body_bytes, JSON_REJECT_DUPLICATES, NULL) : NULL;
    const json_t *first = json_array_get(json_object_get(root, "errors"), 0);
    copy(said->code, sizeof(said->code), json_object_get(first, "code"));
    copy(said->message, sizeof(said->message), json_object_get(first, "message"));
    if (!said->message[0]) {
        copy(said->message, sizeof(said->message), json_object_get(root, "details"));
    }
    json_decref(root);
}

/* Go's errcode.Error: "manifest unknown: manifest unknown". */
static void in_words(const struct said *said, const char *fallback, char *words, size_t words_size)
{
    if (!said->code[0]) {
        (void)snprintf(words, words_size, "%s", said->message[0] ? said->message : fallback);
        return;
    }
    char code[CODE_SIZE];
    for (size_t i = 0; i < sizeof(code); i++) {
        code[i] = (char)(said->code[i] == '_' ? ' ' : tolower((unsigned char)said->code[i]));
    }
    (void)snprintf(words, words_size, "%s: %s", code, said->message[0] ? said->message : code);
}

static const char *reason_phrase(unsigned status)
{
    static const struct {
        unsigned status;
        const char *phrase;
    } phrases[] = {
        {400, "400 Bad Request"},        {401, "401 Unauthorized"},
        {403, "403 Forbidden"},          {404, "404 Not Found"},
        {429, "429 Too Many Requests"},  {500, "500 Internal Server Error"},
        {502, "502 Bad Gateway"},        {503, "503 Service Unavailable"},
        {504, "504 Gateway Timeout"},    {416, "416 Range Not Satisfiable"},
        {405, "405 Method Not Allowed"},
    };
    for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++) {
        if (phrases[i].status == status) {
            return phrases[i].phrase;
        }
    }
    return NULL;
}

/* Docker's familiar name: Docker Hub's host and its "library/" are left out. */
static void familiar_name(const struct registry_subject *subject, char *name, size_t name_size)
{
    if (strcmp(subject->host, "registry-1.docker.io") != 0) {
        (void)snprintf(name, name_size, "%s/%s", subject->host, subject->repository);
        return;
    }
    bool official = strncmp(subject->repository, "library/", 8) == 0;
    (void)snprintf(name, name_size, "%s", subject->repository + (official ? 8 : 0));
}

static int not_found(const struct registry_subject *subject, const struct said *said, const char *name,
                     struct bh_error *error)
{
    char words[CODE_SIZE + MESSAGE_SIZE + 8];
    if (subject->manifest && strcmp(said->code, "NAME_UNKNOWN") != 0) {
        in_words(said, "manifest unknown: manifest unknown", words, sizeof(words));
        bool digest = strncmp(subject->manifest, "sha256:", 7) == 0;
        return bh_error_set(error, BH_NOT_FOUND, "manifest for %s%s%s not found: %s", name, digest ? "@" : ":",
                            subject->manifest, words);
    }
    if (subject->blob && strcmp(said->code, "NAME_UNKNOWN") != 0) {
        in_words(said, "blob unknown: blob unknown to registry", words, sizeof(words));
        return bh_error_set(error, BH_NOT_FOUND, "blob %s of %s not found: %s", subject->blob, name, words);
    }
    if (!subject->repository[0]) {
        in_words(said, "it is no registry of the v2 protocol", words, sizeof(words));
        return bh_error_set(error, BH_NOT_FOUND, "https://%s/v2/ not found: %s", subject->host, words);
    }
    in_words(said, "name unknown: repository name not known to registry", words, sizeof(words));
    return bh_error_set(error, BH_NOT_FOUND, "repository %s not found: %s", name, words);
}

/* Docker shows a push's error as the registry says it: "denied: requested access to the resource is denied". */
static int refuse_push(const struct registry_subject *subject, unsigned status, const struct said *said,
                       const char *name, struct bh_error *error)
{
    char words[CODE_SIZE + MESSAGE_SIZE + 8];
    if (status == 403 || strcmp(said->code, "DENIED") == 0) {
        in_words(said, "denied: requested access to the resource is denied", words, sizeof(words));
        return bh_error_set(error, BH_PERMISSION_DENIED, "%s", words);
    }
    if (status == 404 && !said->code[0]) {
        return bh_error_set(error, BH_NOT_FOUND, "%s: %s not found", name,
                            subject->blob ? "the upload" : "the registry's API");
    }
    if (!said->code[0]) {
        const char *phrase = reason_phrase(status);
        char number[24];
        (void)snprintf(number, sizeof(number), "%u", status);
        return bh_error_set(error, status >= 500 ? BH_UNAVAILABLE : BH_UNKNOWN, "received unexpected HTTP status: %s",
                            phrase ? phrase : number);
    }
    in_words(said, "", words, sizeof(words));
    enum bh_code code = status == 404 ? BH_NOT_FOUND : status >= 500 ? BH_UNAVAILABLE : BH_UNKNOWN;
    return bh_error_set(error, code, "%s", words);
}

int registry_error(const struct registry_subject *subject, unsigned status, const char *body, size_t body_bytes,
                   struct bh_error *error)
{
    struct said said;
    read_body(body, body_bytes, &said);
    char name[NAME_SIZE], words[CODE_SIZE + MESSAGE_SIZE + 8];
    familiar_name(subject, name, sizeof(name));
    if (status == 429) {
        in_words(&said, "toomanyrequests: the registry asks to come back later", words, sizeof(words));
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "%s", words);
    }
    if (subject->push && status != 401) {
        return refuse_push(subject, status, &said, name, error);
    }
    if (!subject->push && status >= 400 && status < 500 && strcmp(said.code, "DENIED") == 0 && subject->repository[0]) {
        in_words(&said, "", words, sizeof(words));
        return bh_error_set(error, BH_NOT_FOUND,
                            "pull access denied for %s, repository does not exist or may require 'docker login': %s",
                            name, words);
    }
    if (status == 401) {
        in_words(&said, "authentication required", words, sizeof(words));
        bool prefixed = strncmp(words, "unauthorized", 12) == 0;
        return bh_error_set(error, BH_UNAUTHENTICATED, "%s%s", prefixed ? "" : "unauthorized: ", words);
    }
    if (status == 404) {
        return not_found(subject, &said, name, error);
    }
    const char *phrase = reason_phrase(status);
    char number[24];
    (void)snprintf(number, sizeof(number), "%u", status);
    in_words(&said, "", words, sizeof(words));
    enum bh_code code = status == 403 ? BH_PERMISSION_DENIED : status >= 500 ? BH_UNAVAILABLE : BH_UNKNOWN;
    return bh_error_set(error, code, "%s: received unexpected HTTP status: %s%s%s", name, phrase ? phrase : number,
                        words[0] ? ": " : "", words);
}
