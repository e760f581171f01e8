/* SPDX-License-Identifier: Apache-2.0
 *
 * See seccomp_profile.h. The format is that of moby's profiles/seccomp; semantics that depend on the host
 * (architecture, kernel) are decided here, those that depend on the container's capabilities travel as masks.
 */
#include "seccomp_profile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capability_names.h"
#include "json_read.h"

#define ERRNO_MAX     4095
#define RULES_MAX     2048
#define DEFAULT_ERRNO 1 /* EPERM */

static int refuse(struct bh_error *error, const char *what, const char *value)
{
    return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid seccomp profile: %s \"%.64s\"", what, value);
}

static int parse_action(const json_t *value, Bulkhead__SeccompAction *ret_action, struct bh_error *error)
{
    static const struct {
        const char *name;
        Bulkhead__SeccompAction action;
    } actions[] = {
        {"SCMP_ACT_ALLOW", BULKHEAD__SECCOMP_ACTION__SECCOMP_ACTION_ALLOW},
        {"SCMP_ACT_ERRNO", BULKHEAD__SECCOMP_ACTION__SECCOMP_ACTION_ERRNO},
        {"SCMP_ACT_KILL", BULKHEAD__SECCOMP_ACTION__SECCOMP_ACTION_KILL_THREAD},
        {"SCMP_ACT_KILL_THREAD", BULKHEAD__SECCOMP_ACTION__SECCOMP_ACTION_KILL_THREAD},
        {"SCMP_ACT_KILL_PROCESS", BULKHEAD__SECCOMP_ACTION__SECCOMP_ACTION_KILL_PROCESS},
        {"SCMP_ACT_TRAP", BULKHEAD__SECCOMP_ACTION__SECCOMP_ACTION_TRAP},
        {"SCMP_ACT_LOG", BULKHEAD__SECCOMP_ACTION__SECCOMP_ACTION_LOG},
    };
    const char *name = json_string_value(value);
    for (size_t i = 0; name && i < sizeof(actions) / sizeof(actions[0]); i++) {
        if (strcmp(actions[i].name, name) == 0) {
            *ret_action = actions[i].action;
            return 0;
        }
    }
    return refuse(error, "unknown action", name ? name : "");
}

static int parse_operator(const json_t *value, Bulkhead__SeccompOperator *ret_operator, struct bh_error *error)
{
    static const struct {
        const char *name;
        Bulkhead__SeccompOperator operator;
    } operators[] = {
        {"SCMP_CMP_NE", BULKHEAD__SECCOMP_OPERATOR__SECCOMP_OPERATOR_NE},
        {"SCMP_CMP_LT", BULKHEAD__SECCOMP_OPERATOR__SECCOMP_OPERATOR_LT},
        {"SCMP_CMP_LE", BULKHEAD__SECCOMP_OPERATOR__SECCOMP_OPERATOR_LE},
        {"SCMP_CMP_EQ", BULKHEAD__SECCOMP_OPERATOR__SECCOMP_OPERATOR_EQ},
        {"SCMP_CMP_GE", BULKHEAD__SECCOMP_OPERATOR__SECCOMP_OPERATOR_GE},
        {"SCMP_CMP_GT", BULKHEAD__SECCOMP_OPERATOR__SECCOMP_OPERATOR_GT},
        {"SCMP_CMP_MASKED_EQ", BULKHEAD__SECCOMP_OPERATOR__SECCOMP_OPERATOR_MASKED_EQ},
    };
    const char *name = json_string_value(value);
    for (size_t i = 0; name && i < sizeof(operators) / sizeof(operators[0]); i++) {
        if (strcmp(operators[i].name, name) == 0) {
            *ret_operator = operators[i].operator;
            return 0;
        }
    }
    return refuse(error, "unknown operator", name ? name : "");
}

/* An unsigned 64-bit value; jansson's integers are signed, so larger ones than 2^63-1 do not parse and are refused
 * there. */
static int parse_number(const json_t *value, const char *name, uint64_t max, uint64_t *ret_number,
                        struct bh_error *error)
{
    int64_t number = 0;
    if (!value) {
        return 0;
    }
    if (take_int(value, name, 0, max > INT64_MAX ? INT64_MAX : (int64_t)max, &number, error) < 0) {
        return bh_error_wrap(error, "seccomp profile");
    }
    *ret_number = (uint64_t)number;
    return 0;
}

static int parse_arguments(const json_t *value, Bulkhead__SeccompRule *rule, struct bh_error *error)
{
    size_t size = json_array_size(value);
    if (value && !json_is_null(value) && (!json_is_array(value) || size > 6)) {
        return refuse(error, "args must be an array of at most", "6");
    }
    if (size == 0) {
        return 0;
    }
    rule->arguments = calloc(size, sizeof(*rule->arguments));
    if (!rule->arguments) {
        return out_of_memory(error);
    }
    for (size_t i = 0; i < size; i++) {
        const json_t *item = json_array_get(value, i);
        uint64_t index = 0;
        Bulkhead__SeccompArgument *argument = malloc(sizeof(*argument));
        if (!argument) {
            return out_of_memory(error);
        }
        bulkhead__seccomp_argument__init(argument);
        rule->arguments[rule->n_arguments++] = argument;
        if (parse_number(json_object_get(item, "index"), "index", 5, &index, error) < 0 ||
            parse_number(json_object_get(item, "value"), "value", UINT64_MAX, &argument->value, error) < 0 ||
            parse_number(json_object_get(item, "valueTwo"), "valueTwo", UINT64_MAX, &argument->value_two, error) < 0 ||
            parse_operator(json_object_get(item, "op"), &argument->operator_, error) < 0) {
            return -1;
        }
        argument->index = (uint32_t)index;
    }
    return 0;
}

static int parse_capabilities(const json_t *list, uint64_t *ret_mask, struct bh_error *error)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *name = json_string_value(json_array_get(list, i));
        int number = name ? capability_number(name) : -1;
        if (number < 0) {
            return refuse(error, "unknown capability", name ? name : "");
        }
        *ret_mask |= 1ULL << number;
    }
    return 0;
}

static bool lists(const json_t *list, const char *word)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *item = json_string_value(json_array_get(list, i));
        if (item && strcmp(item, word) == 0) {
            return true;
        }
    }
    return false;
}

/* Whether the kernel `release` is at least `minimum` ("4.8"). */
static bool kernel_at_least(const char *release, const char *minimum)
{
    unsigned have_major = 0, have_minor = 0, want_major = 0, want_minor = 0;
    if (sscanf(release, "%3u.%3u", &have_major, &have_minor) != 2 ||
        sscanf(minimum, "%3u.%3u", &want_major, &want_minor) < 1) {
        return false;
    }
    return have_major > want_major || (have_major == want_major && have_minor >= want_minor);
}

/* Whether a rule is meant for this host: `includes` must fit, `excludes` must not. */
static bool is_for_host(const json_t *includes, const json_t *excludes, const char *architecture, const char *release)
{
    const json_t *in = json_object_get(includes, "arches");
    const char *minimum = json_string_value(json_object_get(includes, "minKernel"));
    const char *excluded_from = json_string_value(json_object_get(excludes, "minKernel"));
    if (json_array_size(in) > 0 && !lists(in, architecture)) {
        return false;
    }
    if (lists(json_object_get(excludes, "arches"), architecture)) {
        return false;
    }
    return (!minimum || kernel_at_least(release, minimum)) &&
           !(excluded_from && kernel_at_least(release, excluded_from));
}

static int parse_rule(const json_t *value, Bulkhead__SeccompRule *rule, struct bh_error *error)
{
    const json_t *names = json_object_get(value, "names");
    const json_t *name = json_object_get(value, "name");
    uint64_t errno_value = DEFAULT_ERRNO;
    bool one = name && !json_is_default(name);
    if (one == (json_array_size(names) > 0)) {
        return refuse(error, "a rule needs either", "names");
    }
    if (take_words(one ? name : names, "names", &rule->n_names, &rule->names, error) < 0 ||
        parse_action(json_object_get(value, "action"), &rule->action, error) < 0) {
        return -1;
    }
    const json_t *number = json_object_get(value, "errnoRet");
    if (number && !json_is_null(number) && parse_number(number, "errnoRet", ERRNO_MAX, &errno_value, error) < 0) {
        return -1;
    }
    rule->errno_value = rule->action == BULKHEAD__SECCOMP_ACTION__SECCOMP_ACTION_ERRNO ? (uint32_t)errno_value : 0;
    if (parse_arguments(json_object_get(value, "args"), rule, error) < 0) {
        return -1;
    }
    const json_t *included = json_object_get(json_object_get(value, "includes"), "caps");
    const json_t *excluded = json_object_get(json_object_get(value, "excludes"), "caps");
    return parse_capabilities(included, &rule->include_capabilities, error) < 0 ||
                   parse_capabilities(excluded, &rule->exclude_capabilities, error) < 0
               ? -1
               : 0;
}

static int parse_rules(const json_t *list, const char *architecture, const char *release,
                       Bulkhead__SeccompProfile *profile, struct bh_error *error)
{
    size_t size = json_array_size(list);
    if (list && !json_is_null(list) && (!json_is_array(list) || size > RULES_MAX)) {
        return refuse(error, "syscalls must be an array of at most", "2048");
    }
    profile->rules = calloc(size + 1, sizeof(*profile->rules));
    if (!profile->rules) {
        return out_of_memory(error);
    }
    for (size_t i = 0; i < size; i++) {
        const json_t *item = json_array_get(list, i);
        if (!json_is_object(item)) {
            return refuse(error, "each of syscalls must be", "an object");
        }
        if (!is_for_host(json_object_get(item, "includes"), json_object_get(item, "excludes"), architecture, release)) {
            continue;
        }
        Bulkhead__SeccompRule *rule = malloc(sizeof(*rule));
        if (!rule) {
            return out_of_memory(error);
        }
        bulkhead__seccomp_rule__init(rule);
        profile->rules[profile->n_rules++] = rule;
        if (parse_rule(item, rule, error) < 0) {
            return -1;
        }
    }
    return 0;
}

/* Only what we know may stand at the top: a key that means something elsewhere must not be lost. */
static int check_keys(json_t *object, struct bh_error *error)
{
    static const char *const known[] = {"defaultAction", "defaultErrnoRet", "architectures", "archMap", "syscalls"};
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        bool found = json_is_default(value);
        for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
            found = found || strcmp(known[i], key) == 0;
        }
        if (!found) {
            return refuse(error, "unsupported field", key);
        }
    }
    return 0;
}

int seccomp_profile_parse(const char *text, size_t n_bytes, const char *architecture, const char *release,
                          Bulkhead__SeccompProfile **ret_profile, struct bh_error *error)
{
    auto_json *object = NULL;
    if (json_parse_object(text, n_bytes, "the seccomp profile", &object, error) < 0) {
        return -1;
    }
    Bulkhead__SeccompProfile *profile = malloc(sizeof(*profile));
    if (!profile) {
        return out_of_memory(error);
    }
    bulkhead__seccomp_profile__init(profile);
    uint64_t errno_value = DEFAULT_ERRNO;
    const json_t *number = json_object_get(object, "defaultErrnoRet");
    if (check_keys(object, error) < 0 ||
        parse_action(json_object_get(object, "defaultAction"), &profile->default_action, error) < 0 ||
        (number && !json_is_null(number) &&
         parse_number(number, "defaultErrnoRet", ERRNO_MAX, &errno_value, error) < 0) ||
        parse_rules(json_object_get(object, "syscalls"), architecture, release, profile, error) < 0) {
        bulkhead__seccomp_profile__free_unpacked(profile, NULL);
        return -1;
    }
    profile->default_errno =
        profile->default_action == BULKHEAD__SECCOMP_ACTION__SECCOMP_ACTION_ERRNO ? (uint32_t)errno_value : 0;
    *ret_profile = profile;
    return 0;
}
