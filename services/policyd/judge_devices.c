/* SPDX-License-Identifier: Apache-2.0
 *
 * Rules about devices, about where a container stands, and about its labels; see judge.h.
 */
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "judge_parts.h"

/* Whether "/dev/sd*:r" allows that path to be used like that. /dev itself, which stands for all, is allowed by what
 * allows every name in it. */
static bool allows_device(const char *rule, const Bulkhead__Device *device)
{
    char pattern[RULES_PATTERN_SIZE];
    (void)snprintf(pattern, sizeof(pattern), "%s", rule);
    const char *path = strcmp(device->host_path, "/dev") == 0 ? "/dev/" : device->host_path;
    char *colon = strrchr(pattern, ':');
    const char *may = colon ? colon + 1 : "rwm";
    if (colon) {
        *colon = '\0';
    }
    return fnmatch(pattern, path, 0) == 0 && (!device->read || strchr(may, 'r')) &&
           (!device->write || strchr(may, 'w')) && (!device->make || strchr(may, 'm'));
}

int judge_devices(const Bulkhead__ContainerSpec *spec, const struct rules *rules, struct judgement *judgement)
{
    for (size_t i = 0; i < spec->n_devices; i++) {
        const Bulkhead__Device *device = spec->devices[i];
        bool allowed = false;
        for (size_t k = 0; k < rules->devices.n && !allowed; k++) {
            allowed = allows_device(rules->devices.items[k], device);
        }
        if (!allowed) {
            char list[160];
            return judge_refuse(judgement, rules, RULE_DEVICES, "device %.100s (%s%s%s) is not allowed; %s is",
                                device->host_path, device->read ? "r" : "", device->write ? "w" : "",
                                device->make ? "m" : "", judge_list_text(&rules->devices, list, sizeof(list)));
        }
    }
    return spec->n_device_rules > 0 && !rules->device_rules
               ? judge_refuse(judgement, rules, RULE_DEVICE_RULES,
                              "rules for devices by number are not allowed; devices by path may be")
               : 0;
}

int judge_place(const Bulkhead__ContainerSpec *spec, const struct rules *rules, struct judgement *judgement)
{
    char list[160];
    if (spec->wanted_cgroup_parent[0] && !judge_matches_any(&rules->cgroup_parents, spec->wanted_cgroup_parent)) {
        return judge_refuse(judgement, rules, RULE_CGROUP_PARENTS, "cgroup parent %.100s is not allowed; %s is",
                            spec->wanted_cgroup_parent, judge_list_text(&rules->cgroup_parents, list, sizeof(list)));
    }
    return (spec->no_selinux || spec->no_apparmor) && !rules->labels
               ? judge_refuse(judgement, rules, RULE_LABELS, "a container without %s is not allowed; policy's own is",
                              spec->no_selinux ? "SELinux label" : "AppArmor profile")
               : 0;
}
