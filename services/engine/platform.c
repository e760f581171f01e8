/* SPDX-License-Identifier: Apache-2.0
 *
 * Choice of platform; see platform.h. The names are an index's, untrusted: they are compared, never used.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "services/engine/platform.h"

#if defined(__x86_64__)
#define HOST_ARCHITECTURE "amd64"
#define HOST_VARIANT      ""
#elif defined(__aarch64__)
#define HOST_ARCHITECTURE "arm64"
#define HOST_VARIANT      "v8"
#else
#error "Bulkhead runs on x86-64 and arm64"
#endif

#define WRITABLE(text) ((char *)(uintptr_t)(text))

const Bulkhead__Platform platform_host = {
    .base = PROTOBUF_C_MESSAGE_INIT(&bulkhead__platform__descriptor),
    .os = WRITABLE("linux"),
    .architecture = WRITABLE(HOST_ARCHITECTURE),
    .variant = WRITABLE(HOST_VARIANT),
};

const char *platform_format(const Bulkhead__Platform *platform, char buffer[static PLATFORM_TEXT_SIZE])
{
    (void)snprintf(buffer, PLATFORM_TEXT_SIZE, "%.30s/%.30s%s%.30s", platform->os, platform->architecture,
                   platform->variant[0] ? "/" : "", platform->variant);
    return buffer;
}

/* The names that clients and images use for one and the same architecture. */
static const char *canonical_architecture(const char *name)
{
    if (strcmp(name, "x86_64") == 0 || strcmp(name, "x86-64") == 0) {
        return "amd64";
    }
    if (strcmp(name, "aarch64") == 0) {
        return "arm64";
    }
    if (strcmp(name, "i386") == 0 || strcmp(name, "i686") == 0) {
        return "386";
    }
    if (strcmp(name, "armhf") == 0 || strcmp(name, "armel") == 0) {
        return "arm";
    }
    return name;
}

/* A variant that is not said is the architecture's usual one. */
static const char *canonical_variant(const char *architecture, const char *variant)
{
    if (strcmp(architecture, "arm64") == 0 && (variant[0] == '\0' || strcmp(variant, "8") == 0)) {
        return "v8";
    }
    if (strcmp(architecture, "arm") == 0 && variant[0] == '\0') {
        return "v7";
    }
    if (strcmp(architecture, "amd64") == 0 && strcmp(variant, "v1") == 0) {
        return "";
    }
    return variant;
}

/* A processor of variant vN runs what was built for vM, M <= N. */
static int variant_number(const char *variant)
{
    return variant[0] == 'v' && variant[1] >= '1' && variant[1] <= '9' && variant[2] == '\0' ? variant[1] - '0' : 0;
}

int platform_parse(const char *text, char buffer[static PLATFORM_TEXT_SIZE], Bulkhead__Platform *ret_platform,
                   struct bh_error *error)
{
    size_t length = strlen(text);
    if (length == 0 || length >= PLATFORM_TEXT_SIZE ||
        strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./") != length) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "\"%.64s\" is an invalid platform: it is os/architecture[/variant]", text);
    }
    memcpy(buffer, text, length + 1);
    char *parts[3] = {buffer, strchr(buffer, '/'), NULL};
    parts[2] = parts[1] ? strchr(parts[1] + 1, '/') : NULL;
    for (int i = 1; i < 3 && parts[i]; i++) {
        *parts[i]++ = '\0';
    }
    bool os_alone = !parts[1] && strcmp(parts[0], "linux") == 0;
    bulkhead__platform__init(ret_platform);
    ret_platform->os = parts[1] || os_alone ? parts[0] : platform_host.os;
    ret_platform->architecture = parts[1] ? parts[1] : os_alone ? platform_host.architecture : parts[0];
    ret_platform->variant = parts[2] ? parts[2] : WRITABLE("");
    if (ret_platform->os[0] == '\0' || ret_platform->architecture[0] == '\0' || (parts[2] && strchr(parts[2], '/'))) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "\"%s\" is an invalid platform: it is os/architecture[/variant]", text);
    }
    return 0;
}

int platform_fit(const Bulkhead__Platform *wanted, const Bulkhead__Platform *offered)
{
    const char *architecture = canonical_architecture(wanted->architecture);
    if (strcmp(wanted->os, offered->os) != 0 ||
        strcmp(architecture, canonical_architecture(offered->architecture)) != 0) {
        return 0;
    }
    const char *want = canonical_variant(architecture, wanted->variant);
    const char *offer = canonical_variant(architecture, offered->variant);
    if (strcmp(want, offer) == 0) {
        return 100;
    }
    if (want[0] == '\0' && strcmp(architecture, "amd64") == 0) {
        return 0; /* amd64/v2 and above need instructions the host may not have */
    }
    int highest = variant_number(want), number = variant_number(offer);
    return number < highest || offer[0] == '\0' ? number + 1 : 0;
}

int platform_choose(const Bulkhead__Platform *wanted, Bulkhead__IndexEntry *const *entries, size_t n_entries,
                    const Bulkhead__IndexEntry **ret_entry, struct bh_error *error)
{
    int best = 0;
    for (size_t i = 0; i < n_entries; i++) {
        int fit = entries[i]->platform ? platform_fit(wanted, entries[i]->platform) : 0;
        if (fit > best) {
            best = fit;
            *ret_entry = entries[i];
        }
    }
    if (best == 0) {
        char text[PLATFORM_TEXT_SIZE];
        return bh_error_set(error, BH_NOT_FOUND, "no matching manifest for %s in the manifest list entries",
                            platform_format(wanted, text));
    }
    return 0;
}
