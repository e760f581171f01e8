/* SPDX-License-Identifier: Apache-2.0
 *
 * POST /images/create: pulls an image and streams its progress; imports are import.c's. Names, platform and credentials
 * come from the client.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "handlers.h"
#include "import.h"
#include "progress.h"
#include "registry_auth.h"

/* `fromImage` and `tag` (which may be a digest) as one reference. Where neither names anything it means every tag of
 * the repository, as for Docker; its clients add "latest" themselves. */
static int pull_reference(const struct request *request, char *text, size_t text_bytes, struct bh_error *error)
{
    struct bh_reference parsed;
    const char *image = http_parameter(&request->target, "fromImage");
    const char *tag = http_parameter(&request->target, "tag");
    const char *separator = !tag || *tag == '\0' ? "" : strchr(tag, ':') ? "@" : ":";
    int n = snprintf(text, text_bytes, "%s%s%s", image, separator, *separator ? tag : "");
    if (n < 0 || (size_t)n >= text_bytes) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid reference format: the name is too long");
    }
    return bh_reference_parse(text, &parsed, error);
}

/* A word alone must be one of those that there are: it may be meant as either. */
static bool is_platform_word(const char *word)
{
    static const char *const words[] = {"linux",    "windows", "darwin",  "freebsd", "386",    "i386",
                                        "amd64",    "x86_64",  "x86-64",  "arm",     "armhf",  "armel",
                                        "arm64",    "aarch64", "loong64", "mips",    "mipsle", "mips64",
                                        "mips64le", "ppc64",   "ppc64le", "riscv64", "s390x"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(word, words[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* "os[/architecture[/variant]]" (containerd's form) into three words; *ret_asked tells whether there was one. */
static int pull_platform(const struct request *request, char *copy, size_t copy_bytes, Bulkhead__Platform *platform,
                         bool *ret_asked, struct bh_error *error)
{
    const char *text = http_parameter(&request->target, "platform");
    *ret_asked = text && *text;
    if (!*ret_asked) {
        return 0;
    }
    int n = snprintf(copy, copy_bytes, "%s", text);
    bool valid = n > 0 && (size_t)n < copy_bytes &&
                 strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/") == strlen(text);
    char *words[3] = {NULL};
    char *rest = copy;
    size_t n_words = 0;
    for (char *word; valid && (word = strsep(&rest, "/"));) {
        valid = n_words < 3 && *word;
        if (valid) {
            words[n_words++] = word;
        }
    }
    if (!valid) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "invalid platform \"%s\": it must be like linux/amd64 or linux/arm/v7", text);
    }
    if (n_words == 1 && !is_platform_word(words[0])) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "\"%s\": unknown operating system or architecture: invalid argument", text);
    }
    /* One word alone is an architecture unless it names the one system there is. */
    bool system_first = n_words > 1 || strcmp(words[0], "linux") == 0;
    platform->os = system_first ? words[0] : (char *)(uintptr_t) "linux";
    platform->architecture = n_words > 1    ? words[1]
                             : system_first ? (char *)(uintptr_t)request->api->architecture
                                            : words[0];
    platform->variant = n_words > 2 ? words[2] : (char *)(uintptr_t)protobuf_c_empty_string;
    return 0;
}

int handle_image_create(struct request *request, struct bh_error *error)
{
    char reference[BH_REFERENCE_BYTES_MAX + BH_TAG_BYTES_MAX];
    char platform_words[64];
    bool platform_asked;
    auto_engine_call call = {0};
    const char *image = http_parameter(&request->target, "fromImage");
    const char *source = http_parameter(&request->target, "fromSrc");
    if (source && *source) {
        Bulkhead__Platform wanted = BULKHEAD__PLATFORM__INIT;
        return pull_platform(request, platform_words, sizeof(platform_words), &wanted, &platform_asked, error) < 0
                   ? -1
                   : handle_image_import(request, source, platform_asked ? &wanted : NULL, error);
    }
    if (!image || *image == '\0') {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "parameter fromImage is missing: it must name the image to pull");
    }
    Bulkhead__PullImage question = BULKHEAD__PULL_IMAGE__INIT;
    Bulkhead__Platform platform = BULKHEAD__PLATFORM__INIT;
    if (request_drop_body(request, error) < 0 || pull_reference(request, reference, sizeof(reference), error) < 0 ||
        pull_platform(request, platform_words, sizeof(platform_words), &platform, &platform_asked, error) < 0 ||
        registry_auth_parse(http_head_field(&request->connection->head, "X-Registry-Auth"), &question.credentials,
                            error) < 0) {
        return -1;
    }
    question.reference = reference;
    question.platform = platform_asked ? &platform : NULL;
    ENGINE_PACKET(packet, PULL_IMAGE, pull_image, &question);
    int result = engine_call_start(request, &packet, NULL, 0, BH_DEADLINE_JOB_MS, &call, error);
    if (question.credentials) {
        bulkhead__credentials__free_unpacked(question.credentials, NULL);
    }
    return result < 0 ? -1 : stream_progress(request, &call, false, error);
}
