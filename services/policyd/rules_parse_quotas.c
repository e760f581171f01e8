/* SPDX-License-Identifier: Apache-2.0
 *
 * The key "quotas" of a rule file; see rules_file.h.
 */
#include "rules_parse_parts.h"

#define CPU_PERIOD_US 100000.0

static int read_containers(const json_t *value, struct rules *rules, const char *where, struct bh_error *error)
{
    return rules_read_count(value, &rules->quotas.containers, where, "quotas.containers", error);
}

static int read_containers_kept(const json_t *value, struct rules *rules, const char *where, struct bh_error *error)
{
    return rules_read_count(value, &rules->quotas.containers_kept, where, "quotas.containers_kept", error);
}

static int read_memory(const json_t *value, struct rules *rules, const char *where, struct bh_error *error)
{
    return rules_read_count(value, &rules->quotas.memory_bytes, where, "quotas.memory_bytes", error);
}

static int read_pids(const json_t *value, struct rules *rules, const char *where, struct bh_error *error)
{
    return rules_read_count(value, &rules->quotas.pids, where, "quotas.pids", error);
}

static int read_disk(const json_t *value, struct rules *rules, const char *where, struct bh_error *error)
{
    return rules_read_count(value, &rules->quotas.disk_bytes, where, "quotas.disk_bytes", error);
}

static int read_image_bytes(const json_t *value, struct rules *rules, const char *where, struct bh_error *error)
{
    return rules_read_count(value, &rules->quotas.image_bytes, where, "quotas.image_bytes", error);
}

static int read_volumes(const json_t *value, struct rules *rules, const char *where, struct bh_error *error)
{
    if (rules_read_count(value, &rules->quotas.volumes, where, "quotas.volumes", error) < 0) {
        return -1;
    }
    return rules->quotas.volumes <= UINT32_MAX
               ? 0
               : rules_wrong(error, where, "quotas.volumes", "a number of volumes below 4294967296 (or 0: no limit)");
}

static int read_network_count(const json_t *value, struct rules *rules, const char *where, struct bh_error *error)
{
    if (rules_read_count(value, &rules->quotas.networks, where, "quotas.networks", error) < 0) {
        return -1;
    }
    return rules->quotas.networks <= UINT32_MAX
               ? 0
               : rules_wrong(error, where, "quotas.networks", "a number of networks below 4294967296 (or 0: no limit)");
}

static int read_pulls(const json_t *value, struct rules *rules, const char *where, struct bh_error *error)
{
    return rules_read_count(value, &rules->quotas.pulls, where, "quotas.pulls", error);
}

static int read_cpus(const json_t *value, struct rules *rules, const char *where, struct bh_error *error)
{
    double cpus = json_number_value(value);
    if (!json_is_number(value) || !(cpus == 0 || cpus >= 0.01) || cpus > 65536) {
        return rules_wrong(error, where, "quotas.cpus", "a number of processors, at least 0.01 (or 0: no limit)");
    }
    rules->quotas.cpu_quota_us = (uint64_t)(cpus * CPU_PERIOD_US);
    return 0;
}

int rules_read_quotas(const json_t *value, struct rules *rules, const char *where, struct bh_error *error)
{
    static const struct key keys[] = {{"containers", RULE_QUOTAS, read_containers},
                                      {"containers_kept", RULE_QUOTAS, read_containers_kept},
                                      {"memory_bytes", RULE_QUOTAS, read_memory},
                                      {"cpus", RULE_QUOTAS, read_cpus},
                                      {"pids", RULE_QUOTAS, read_pids},
                                      {"disk_bytes", RULE_QUOTAS, read_disk},
                                      {"image_bytes", RULE_QUOTAS, read_image_bytes},
                                      {"volumes", RULE_QUOTAS, read_volumes},
                                      {"networks", RULE_QUOTAS, read_network_count},
                                      {"pulls", RULE_QUOTAS, read_pulls},
                                      {NULL, RULE_NONE, NULL}};
    return json_is_object(value)
               ? rules_read_object(value, keys, rules, where, error)
               : rules_wrong(error, where, "quotas",
                             "an object with \"containers\", \"containers_kept\", \"memory_bytes\", \"cpus\", "
                             "\"pids\", \"disk_bytes\", \"image_bytes\", \"volumes\", "
                             "\"networks\" and \"pulls\"");
}
