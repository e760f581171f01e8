/* SPDX-License-Identifier: Apache-2.0
 *
 * One rule file's text, as a table of keys; see rules_file.h. What a file does not mention stays as built in.
 */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "capability_names.h"
#include "common/cleanup.h"
#include "rules_file.h"
#include "rules_parse_parts.h"

static void free_json(json_t **value)
{
    json_decref(*value);
}

int rules_wrong(struct bh_error *error, const char *where, const char *key, const char *wanted)
{
    return bh_error_set(error, BH_INVALID_ARGUMENT, "%s: \"%s\" must be %s", where, key, wanted);
}

static int read_bool(const json_t *value, bool *ret, const char *where, const char *key, struct bh_error *error)
{
    if (!json_is_boolean(value)) {
        return rules_wrong(error, where, key, "true or false");
    }
    *ret = json_boolean_value(value);
    return 0;
}

int rules_read_count(const json_t *value, uint64_t *ret, const char *where, const char *key, struct bh_error *error)
{
    if (!json_is_integer(value) || json_integer_value(value) < 0) {
        return rules_wrong(error, where, key, "a whole number that is not negative");
    }
    *ret = (uint64_t)json_integer_value(value);
    return 0;
}

int rules_read_list(const json_t *value, struct rules_list *list, const char *where, const char *key,
                    struct bh_error *error)
{
    *list = (struct rules_list){0};
    if (!json_is_array(value) || json_array_size(value) > RULES_LIST_MAX) {
        return rules_wrong(error, where, key, "a list of at most 64 texts");
    }
    for (size_t i = 0; i < json_array_size(value); i++) {
        const char *text = json_string_value(json_array_get(value, i));
        if (!text || !*text || strlen(text) >= RULES_PATTERN_SIZE) {
            return rules_wrong(error, where, key, "a list of texts of 1 to 255 characters");
        }
        memcpy(list->items[list->n++], text, strlen(text) + 1);
    }
    return 0;
}

int rules_read_words(const json_t *value, const struct word *words, unsigned int *ret_mask, const char *where,
                     const char *key, const char *wanted, struct bh_error *error)
{
    *ret_mask = 0;
    if (!json_is_array(value)) {
        return rules_wrong(error, where, key, wanted);
    }
    for (size_t i = 0; i < json_array_size(value); i++) {
        const char *text = json_string_value(json_array_get(value, i));
        const struct word *word = words;
        while (word->name && (!text || strcmp(word->name, text) != 0)) {
            word++;
        }
        if (!word->name) {
            return rules_wrong(error, where, key, wanted);
        }
        *ret_mask |= word->bit;
    }
    return 0;
}

/* An object whose every key stands in `keys`. */
int rules_read_object(const json_t *object, const struct key *keys, struct rules *rules, const char *where,
                      struct bh_error *error)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)object, name, value)
    {
        const struct key *key = keys;
        while (key->name && strcmp(key->name, name) != 0) {
            key++;
        }
        if (!key->name) {
            return bh_error_set(error, BH_INVALID_ARGUMENT,
                                "%s: unknown key \"%s\"; docs/policy.md lists the known ones", where, name);
        }
        rules->set_by_file |= 1ULL << key->rule;
        if (key->read(value, rules, where, error) < 0) {
            return -1;
        }
    }
    return 0;
}

static int read_version(const json_t *value, struct rules *rules, const char *where, struct bh_error *error)
{
    (void)rules;
    return json_is_integer(value) && json_integer_value(value) == 1 ? 0 : rules_wrong(error, where, "version", "1");
}

static int read_tenants(const json_t *value, struct rules *rules, const char *where, struct bh_error *error)
{
    static const char wanted[] = "a list of uids, \"root\" and \"others\", not empty";
    if (!json_is_array(value) || json_array_size(value) == 0 || json_array_size(value) > RULES_LIST_MAX) {
        return rules_wrong(error, where, "tenants", wanted);
    }
    for (size_t i = 0; i < json_array_size(value); i++) {
        const json_t *item = json_array_get(value, i);
        const char *text = json_string_value(item);
        json_int_t uid = json_integer_value(item);
        if (json_is_integer(item) && uid >= 0 && uid < UINT32_MAX) {
            rules->uids[rules->n_uids++] = (uint32_t)uid;
        } else if (text && strcmp(text, "root") == 0) {
            rules->uids[rules->n_uids++] = 0;
        } else if (text && strcmp(text, "others") == 0) {
            rules->for_others = true;
        } else {
            return rules_wrong(error, where, "tenants", wanted);
        }
    }
    return 0;
}

static int read_audit_only(const json_t *value, struct rules *rules, const char *where, struct bh_error *error)
{
    return read_bool(value, &rules->audit_only, where, "audit_only", error);
}

static int read_capabilities(const json_t *value, struct rules *rules, const char *where, struct bh_error *error)
{
    static const char wanted[] = "a list of names like \"NET_RAW\", or \"all\"";
    const char *all = json_string_value(value);
    rules->capabilities = all && strcmp(all, "all") == 0 ? CAPABILITY_ALL : 0;
    if (rules->capabilities) {
        return 0;
    }
    if (!json_is_array(value)) {
        return rules_wrong(error, where, "capabilities", wanted);
    }
    for (size_t i = 0; i < json_array_size(value); i++) {
        const char *text = json_string_value(json_array_get(value, i));
        int number = text ? capability_number(text) : -1;
        if (number < 0) {
            return rules_wrong(error, where, "capabilities", wanted);
        }
        rules->capabilities |= 1ULL << number;
    }
    return 0;
}

static int read_privileged(const json_t *value, struct rules *rules, const char *where, struct bh_error *error)
{
    return read_bool(value, &rules->privileged, where, "privileged", error);
}

static int read_seccomp(const json_t *value, struct rules *rules, const char *where, struct bh_error *error)
{
    static const struct word words[] = {{"default", RULES_SECCOMP_DEFAULT},
                                        {"profile", RULES_SECCOMP_PROFILE},
                                        {"unconfined", RULES_SECCOMP_UNCONFINED},
                                        {NULL, 0}};
    return rules_read_words(value, words, &rules->seccomp, where, "seccomp",
                            "a list of \"default\", \"profile\" and \"unconfined\"", error);
}

static int read_host_namespaces(const json_t *value, struct rules *rules, const char *where, struct bh_error *error)
{
    static const struct word words[] = {{"pid", RULES_HOST_PID},
                                        {"ipc", RULES_HOST_IPC},
                                        {"uts", RULES_HOST_UTS},
                                        {"cgroup", RULES_HOST_CGROUP},
                                        {NULL, 0}};
    return rules_read_words(value, words, &rules->host_namespaces, where, "host_namespaces",
                            "a list of \"pid\", \"ipc\", \"uts\" and \"cgroup\"", error);
}

static int read_mount_paths(const json_t *value, struct rules *rules, const char *where, struct bh_error *error)
{
    if (rules_read_list(value, &rules->mount_paths, where, "mounts.paths", error) < 0) {
        return -1;
    }
    for (size_t i = 0; i < rules->mount_paths.n; i++) {
        const char *path = rules->mount_paths.items[i];
        size_t length = strlen(path);
        if (path[0] != '/' || strstr(path, "//") || strstr(path, "/../") || strstr(path, "/./") ||
            (length > 1 && path[length - 1] == '/')) {
            return rules_wrong(error, where, "mounts.paths",
                               "a list of absolute paths without \"..\" or a slash at the end");
        }
    }
    return 0;
}

static int read_must_be_owned(const json_t *value, struct rules *rules, const char *where, struct bh_error *error)
{
    return read_bool(value, &rules->mounts_must_be_owned, where, "mounts.must_be_owned", error);
}

static int read_propagation(const json_t *value, struct rules *rules, const char *where, struct bh_error *error)
{
    return read_bool(value, &rules->mount_propagation, where, "mounts.propagation", error);
}

static int read_mounts(const json_t *value, struct rules *rules, const char *where, struct bh_error *error)
{
    static const struct key keys[] = {{"paths", RULE_MOUNTS, read_mount_paths},
                                      {"must_be_owned", RULE_MOUNTS, read_must_be_owned},
                                      {"propagation", RULE_MOUNTS, read_propagation},
                                      {NULL, RULE_NONE, NULL}};
    return json_is_object(value)
               ? rules_read_object(value, keys, rules, where, error)
               : rules_wrong(error, where, "mounts", "an object with \"paths\", \"must_be_owned\" and \"propagation\"");
}

static int read_allow(const json_t *value, struct rules *rules, const char *where, struct bh_error *error)
{
    return rules_read_list(value, &rules->registries_allowed, where, "registries.allow", error);
}

static int read_deny(const json_t *value, struct rules *rules, const char *where, struct bh_error *error)
{
    return rules_read_list(value, &rules->registries_denied, where, "registries.deny", error);
}

static int read_registries(const json_t *value, struct rules *rules, const char *where, struct bh_error *error)
{
    static const struct key keys[] = {
        {"allow", RULE_REGISTRIES, read_allow}, {"deny", RULE_REGISTRIES, read_deny}, {NULL, RULE_NONE, NULL}};
    return json_is_object(value) ? rules_read_object(value, keys, rules, where, error)
                                 : rules_wrong(error, where, "registries", "an object with \"allow\" and \"deny\"");
}

static int read_sysctls(const json_t *value, struct rules *rules, const char *where, struct bh_error *error)
{
    return rules_read_list(value, &rules->sysctls, where, "sysctls", error);
}

static int read_system_paths(const json_t *value, struct rules *rules, const char *where, struct bh_error *error)
{
    return read_bool(value, &rules->system_paths, where, "system_paths", error);
}

static int read_oom_score(const json_t *value, struct rules *rules, const char *where, struct bh_error *error)
{
    json_int_t score = json_integer_value(value);
    if (!json_is_integer(value) || score < -1000 || score > 1000) {
        return rules_wrong(error, where, "oom_score_minimum", "a whole number between -1000 and 1000");
    }
    rules->oom_score_minimum = (int32_t)score;
    return 0;
}

static int read_log_drivers(const json_t *value, struct rules *rules, const char *where, struct bh_error *error)
{
    static const struct word words[] = {{"none", RULES_LOG_NONE},
                                        {"json-file", RULES_LOG_JSON_FILE},
                                        {"local", RULES_LOG_LOCAL},
                                        {"journald", RULES_LOG_JOURNALD},
                                        {NULL, 0}};
    return rules_read_words(value, words, &rules->log_drivers, where, "log_drivers",
                            "a list of \"none\", \"json-file\", \"local\" and \"journald\"", error);
}

/* "/dev/x", with what may be done with it behind a colon. */
static int read_devices(const json_t *value, struct rules *rules, const char *where, struct bh_error *error)
{
    if (rules_read_list(value, &rules->devices, where, "devices", error) < 0) {
        return -1;
    }
    for (size_t i = 0; i < rules->devices.n; i++) {
        const char *pattern = rules->devices.items[i];
        const char *colon = strrchr(pattern, ':');
        if (strncmp(pattern, "/dev/", 5) != 0 ||
            (colon && (!colon[1] || strspn(colon + 1, "rwm") != strlen(colon + 1)))) {
            return rules_wrong(error, where, "devices",
                               "a list of patterns below /dev, like \"/dev/fuse\" or \"/dev/sd*:r\"");
        }
    }
    return 0;
}

static int read_device_rules(const json_t *value, struct rules *rules, const char *where, struct bh_error *error)
{
    return read_bool(value, &rules->device_rules, where, "device_rules", error);
}

static int read_cgroup_parents(const json_t *value, struct rules *rules, const char *where, struct bh_error *error)
{
    return rules_read_list(value, &rules->cgroup_parents, where, "cgroup_parents", error);
}

static int read_labels(const json_t *value, struct rules *rules, const char *where, struct bh_error *error)
{
    return read_bool(value, &rules->labels, where, "labels", error);
}

static const struct key top_keys[] = {
    {"version", RULE_NONE, read_version},
    {"tenants", RULE_NONE, read_tenants},
    {"audit_only", RULE_NONE, read_audit_only},
    {"capabilities", RULE_CAPABILITIES, read_capabilities},
    {"privileged", RULE_PRIVILEGED, read_privileged},
    {"seccomp", RULE_SECCOMP, read_seccomp},
    {"host_namespaces", RULE_HOST_NAMESPACES, read_host_namespaces},
    {"networks", RULE_NETWORKS, rules_read_networks},
    {"macvlan_parents", RULE_MACVLAN_PARENTS, rules_read_macvlan_parents},
    {"bridge_names", RULE_BRIDGE_NAMES, rules_read_bridge_names},
    {"subnets", RULE_SUBNETS, rules_read_subnets},
    {"publish", RULE_PUBLISH, rules_read_publish},
    {"mounts", RULE_MOUNTS, read_mounts},
    {"registries", RULE_REGISTRIES, read_registries},
    {"sysctls", RULE_SYSCTLS, read_sysctls},
    {"system_paths", RULE_SYSTEM_PATHS, read_system_paths},
    {"oom_score_minimum", RULE_OOM_SCORE, read_oom_score},
    {"log_drivers", RULE_LOG_DRIVERS, read_log_drivers},
    {"quotas", RULE_QUOTAS, rules_read_quotas},
    {"devices", RULE_DEVICES, read_devices},
    {"device_rules", RULE_DEVICE_RULES, read_device_rules},
    {"cgroup_parents", RULE_CGROUP_PARENTS, read_cgroup_parents},
    {"labels", RULE_LABELS, read_labels},
    {NULL, RULE_NONE, NULL},
};

/* Built-in rules are those of the tenants the file is about; a file about root and others would have two sets of them.
 */
static int choose_base(const json_t *tenants, struct rules *rules, const char *where, struct bh_error *error)
{
    struct rules named = {0};
    if (read_tenants(tenants, &named, where, error) < 0) {
        return -1;
    }
    bool root = false;
    for (size_t i = 0; i < named.n_uids; i++) {
        root = root || named.uids[i] == 0;
    }
    if (root && (named.n_uids > 1 || named.for_others)) {
        return rules_wrong(error, where, "tenants", "either \"root\" alone, or others: their built-in rules differ");
    }
    *rules = *rules_builtin(root);
    rules->for_root = root;
    rules->for_others = false;
    return 0;
}

int rules_parse(const char *name, const char *text, size_t n_bytes, struct rules *ret_rules, struct bh_error *error)
{
    char where[RULES_NAME_SIZE + 16];
    (void)snprintf(where, sizeof(where), "policy.d/%s", name);
    json_error_t failure;
    bh_cleanup(free_json) json_t *root = json_loadb(text, n_bytes, JSON_REJECT_DUPLICATES, &failure);
    if (!json_is_object(root)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "%s: line %d: %s", where, root ? 1 : failure.line,
                            root ? "a JSON object is wanted" : failure.text);
    }
    const json_t *tenants = json_object_get(root, "tenants");
    if (!tenants || !json_object_get(root, "version")) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "%s: the keys \"version\" and \"tenants\" must be there",
                            where);
    }
    struct rules rules;
    if (choose_base(tenants, &rules, where, error) < 0) {
        return -1;
    }
    if (rules_read_object(root, top_keys, &rules, where, error) < 0) {
        return -1;
    }
    (void)snprintf(rules.file, sizeof(rules.file), "%s", name);
    *ret_rules = rules;
    return 0;
}
