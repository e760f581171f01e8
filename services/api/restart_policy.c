/* SPDX-License-Identifier: Apache-2.0
 *
 * HostConfig.RestartPolicy, as the client writes it. The engine keeps to it (engine/restart_policy.h).
 */
#include <string.h>

#include "create.h"

static int check_restart_policy(const char *policy, int64_t retries, struct bh_error *error)
{
    static const char *const without_count[] = {"no", "always", "unless-stopped"};
    if (strcmp(policy, "on-failure") == 0) {
        return retries >= 0 ? 0
                            : bh_error_set(error, BH_INVALID_ARGUMENT,
                                           "invalid restart policy: maximum retry count cannot be negative");
    }
    for (size_t i = 0; i < sizeof(without_count) / sizeof(without_count[0]); i++) {
        if (strcmp(policy, without_count[i]) == 0) {
            return retries == 0 ? 0
                                : bh_error_set(error, BH_INVALID_ARGUMENT,
                                               "invalid restart policy: maximum retry count can only be used with "
                                               "'on-failure'%s",
                                               retries < 0 ? " and cannot be negative" : "");
        }
    }
    return bh_error_set(error, BH_INVALID_ARGUMENT,
                        "invalid restart policy: unknown policy '%.64s'; use one of 'no', 'always', 'on-failure', or "
                        "'unless-stopped'",
                        policy);
}

int restart_policy_read(const json_t *value, char **policy, uint32_t *retries, struct bh_error *error)
{
    const json_t *name = json_object_get(value, "Name");
    const json_t *count = json_object_get(value, "MaximumRetryCount");
    int64_t number = 0;
    if (!json_is_object(value) || (name && !json_is_string(name) && !json_is_null(name))) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "invalid JSON: HostConfig.RestartPolicy must be an object with a Name");
    }
    const char *word = json_string_value(name);
    word = word && *word ? word : "no";
    if ((count &&
         take_int(count, "HostConfig.RestartPolicy.MaximumRetryCount", INT32_MIN, INT32_MAX, &number, error) < 0) ||
        check_restart_policy(word, number, error) < 0) {
        return -1;
    }
    *retries = (uint32_t)number;
    return set_string(policy, word, error);
}

int read_restart_policy(struct create *create, const json_t *value, const char *where, struct bh_error *error)
{
    (void)where;
    const char *name = json_string_value(json_object_get(value, "Name"));
    bool stays = create->update && name && !*name; /* what docker's update sends for a policy that was not named */
    return json_is_null(value) || stays
               ? 0
               : restart_policy_read(value, &create->request->restart_policy, &create->request->restart_retries, error);
}

int restart_policy_finish(const struct create *create, struct bh_error *error)
{
    const Bulkhead__ContainerRequest *request = create->request;
    return request->auto_remove && strcmp(request->restart_policy, "no") != 0
               ? bh_error_set(error, BH_INVALID_ARGUMENT, "can't create 'AutoRemove' container with restart policy")
               : 0;
}
