/* SPDX-License-Identifier: Apache-2.0
 *
 * Capabilities and SecurityOpt of a HostConfig. What is asked for is only written down here; whether the tenant may
 * have it, policy decides.
 */
#include <stdlib.h>
#include <string.h>

#include "capability_names.h"
#include "common/cleanup.h"
#include "create.h"
#include "seccomp_profile.h"

static int read_capabilities(const json_t *value, const char *where, size_t *n_slot, char ***slot,
                             struct bh_error *error)
{
    if (take_words(value, where, n_slot, slot, error) < 0) {
        return -1;
    }
    for (size_t i = 0; i < *n_slot; i++) { /* they stay as they are written, and are told like that */
        char canonical[64];
        capability_canonical((*slot)[i], canonical, sizeof(canonical));
        if (strcmp(canonical, "ALL") != 0 && capability_number(canonical) < 0) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid Cap%s: unknown capability: \"%s\"",
                                strstr(where, "Drop") ? "Drop" : "Add", canonical);
        }
    }
    return 0;
}

int read_capabilities_added(struct create *create, const json_t *value, const char *where, struct bh_error *error)
{
    return read_capabilities(value, where, &create->request->n_cap_add, &create->request->cap_add, error);
}

int read_capabilities_dropped(struct create *create, const json_t *value, const char *where, struct bh_error *error)
{
    return read_capabilities(value, where, &create->request->n_cap_drop, &create->request->cap_drop, error);
}

static int apply_no_new_privileges(struct create *create, const char *value, struct bh_error *error)
{
    static const char *const yes[] = {"", "true", "1", "t", "T", "TRUE", "True"};
    static const char *const no[] = {"false", "0", "f", "F", "FALSE", "False"};
    for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
        if (strcmp(value, yes[i]) == 0) {
            create->request->no_new_privileges = true;
            return 0;
        }
    }
    for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
        if (strcmp(value, no[i]) == 0) {
            create->request->no_new_privileges = false;
            return 0;
        }
    }
    return bh_error_set(error, BH_INVALID_ARGUMENT,
                        "invalid --security-opt: no-new-privileges must be true or false, not \"%s\"", value);
}

static int apply_seccomp(struct create *create, const char *value, struct bh_error *error)
{
    Bulkhead__ContainerRequest *request = create->request;
    Bulkhead__SeccompProfile *profile;
    if (strcmp(value, "unconfined") == 0) {
        request->seccomp = BULKHEAD__SECCOMP_MODE__SECCOMP_MODE_UNCONFINED;
        return 0;
    }
    if (strcmp(value, "builtin") == 0) {
        request->seccomp = BULKHEAD__SECCOMP_MODE__SECCOMP_MODE_DEFAULT;
        return 0;
    }
    if (*value != '{') {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "invalid --security-opt: seccomp must be unconfined, builtin, or a profile's JSON");
    }
    if (seccomp_profile_parse(value, strlen(value), create->api->architecture, create->api->host.release, &profile,
                              error) < 0) {
        return -1;
    }
    size_t n_bytes = bulkhead__seccomp_profile__get_packed_size(profile);
    free(request->seccomp_profile.data);
    request->seccomp_profile.len = 0;
    request->seccomp_profile.data = malloc(n_bytes + 1);
    if (request->seccomp_profile.data) {
        request->seccomp_profile.len = bulkhead__seccomp_profile__pack(profile, request->seccomp_profile.data);
    }
    bulkhead__seccomp_profile__free_unpacked(profile, NULL);
    request->seccomp = BULKHEAD__SECCOMP_MODE__SECCOMP_MODE_PROFILE;
    return request->seccomp_profile.data ? 0 : out_of_memory(error);
}

/* Which profile a container gets is policy's choice; that it may have none is a rule. */
static int apply_apparmor(struct create *create, const char *value, const char *option, struct bh_error *error)
{
    create->request->no_apparmor = strcmp(value, "unconfined") == 0;
    return create->request->no_apparmor || strcmp(value, "docker-default") == 0 ||
                   strcmp(value, "bulkhead-default") == 0
               ? 0
               : bh_error_set(
                     error, BH_UNIMPLEMENTED,
                     "HostConfig.SecurityOpt \"%s\": AppArmor profiles are chosen by policy; unconfined may be "
                     "asked for",
                     option);
}

static int apply_label(struct create *create, const char *value, const char *option, struct bh_error *error)
{
    create->request->no_selinux = strcmp(value, "disable") == 0;
    return create->request->no_selinux
               ? 0
               : bh_error_set(
                     error, BH_UNIMPLEMENTED,
                     "HostConfig.SecurityOpt \"%s\": SELinux labels are chosen by policy; label=disable may be "
                     "asked for",
                     option);
}

/* "name", "name=value" or, as clients of old wrote it, "name:value". */
static int apply_security_option(struct create *create, const char *option, struct bh_error *error)
{
    size_t name = strcspn(option, "=:");
    const char *value = option[name] ? option + name + 1 : "";
    if (name == strlen("no-new-privileges") && strncmp(option, "no-new-privileges", name) == 0) {
        return apply_no_new_privileges(create, value, error);
    }
    if (name == strlen("seccomp") && strncmp(option, "seccomp", name) == 0) {
        return apply_seccomp(create, value, error);
    }
    if (name == strlen("apparmor") && strncmp(option, "apparmor", name) == 0) {
        return apply_apparmor(create, value, option, error);
    }
    if (name == strlen("label") && strncmp(option, "label", name) == 0) {
        return apply_label(create, value, option, error);
    }
    if (strcmp(option, "systempaths=unconfined") == 0) {
        create->request->masked_paths_set = true; /* both lists stay empty */
        return 0;
    }
    if (strcmp(option, "writable-cgroups=true") == 0 || strcmp(option, "writable-cgroups") == 0) {
        return bh_error_set(error, BH_UNIMPLEMENTED, "HostConfig.SecurityOpt \"%s\": cgroups are always read-only",
                            option);
    }
    if (strcmp(option, "writable-cgroups=false") == 0) {
        return 0;
    }
    return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid --security-opt: \"%.64s\"", option);
}

int read_security_options(struct create *create, const json_t *value, const char *where, struct bh_error *error)
{
    Bulkhead__ContainerRequest *request = create->request;
    if (take_strings(value, where, &request->n_security_opt, &request->security_opt, error) < 0) {
        return -1;
    }
    for (size_t i = 0; i < request->n_security_opt; i++) {
        if (apply_security_option(create, request->security_opt[i], error) < 0) {
            return -1;
        }
    }
    return 0;
}
