/* SPDX-License-Identifier: Apache-2.0
 *
 * Health checks; see health_check.h.
 */
#include "services/engine/health_check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/limits.h"

#define SECOND_NS          1000000000LL
#define INTERVAL_NS        (30 * SECOND_NS) /* Docker's defaults */
#define TIMEOUT_NS         (30 * SECOND_NS)
#define START_INTERVAL_NS  (5 * SECOND_NS)
#define RETRIES            3
#define HEALTH_OUTPUT_MORE "..." /* stands for what was cut */

static const char *const on_failure_words[] = {
    [HEALTH_NOTHING] = "none", [HEALTH_KILL] = "kill", [HEALTH_RESTART] = "restart", [HEALTH_STOP] = "stop"};
#define N_ON_FAILURE (sizeof on_failure_words / sizeof on_failure_words[0])

bool health_check_merge(const Bulkhead__ImageConfig *image, const Bulkhead__ContainerRequest *request,
                        Bulkhead__Healthcheck *ret_check)
{
    const Bulkhead__Healthcheck *below = image ? image->healthcheck : NULL, *above = request->healthcheck;
    if (!above && !below) {
        return false;
    }
    *ret_check = above ? *above : *below;
    if (!above || !below) {
        return true;
    }
    if (above->n_test == 0) {
        ret_check->test = below->test;
        ret_check->n_test = below->n_test;
    }
    ret_check->interval_ns = above->interval_ns ? above->interval_ns : below->interval_ns;
    ret_check->timeout_ns = above->timeout_ns ? above->timeout_ns : below->timeout_ns;
    ret_check->start_period_ns = above->start_period_ns ? above->start_period_ns : below->start_period_ns;
    ret_check->start_interval_ns = above->start_interval_ns ? above->start_interval_ns : below->start_interval_ns;
    ret_check->retries = above->retries ? above->retries : below->retries;
    return true;
}

bool health_check_runs(const Bulkhead__Healthcheck *check)
{
    return check->n_test > 1 && (strcmp(check->test[0], "CMD") == 0 || strcmp(check->test[0], "CMD-SHELL") == 0);
}

static const char *label_of(Bulkhead__KeyValue *const *labels, size_t n_labels)
{
    for (size_t i = 0; i < n_labels; i++) {
        if (strcmp(labels[i]->key, HEALTH_ON_FAILURE_LABEL) == 0) {
            return labels[i]->value;
        }
    }
    return on_failure_words[HEALTH_NOTHING];
}

/* N_ON_FAILURE if it is none. */
static size_t find_word(const char *text)
{
    size_t i = 0;
    while (i < N_ON_FAILURE && strcmp(on_failure_words[i], text) != 0) {
        i++;
    }
    return i;
}

enum health_on_failure health_on_failure_of(Bulkhead__KeyValue *const *labels, size_t n_labels)
{
    size_t found = find_word(label_of(labels, n_labels));
    return found < N_ON_FAILURE ? (enum health_on_failure)found : HEALTH_NOTHING;
}

int health_check_refuse(const Bulkhead__Healthcheck *check, Bulkhead__KeyValue *const *labels, size_t n_labels,
                        struct bh_error *error)
{
    const char *label = label_of(labels, n_labels);
    if (find_word(label) == N_ON_FAILURE) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "label " HEALTH_ON_FAILURE_LABEL ": \"%.64s\" must be none, kill, restart or stop", label);
    }
    /* With any other first word none runs, as with Docker; the client has been warned. */
    if (!check || check->n_test == 0 ||
        (strcmp(check->test[0], "CMD") != 0 && strcmp(check->test[0], "CMD-SHELL") != 0)) {
        return 0;
    }
    return check->n_test > 1 && check->test[1][0]
               ? 0
               : bh_error_set(error, BH_INVALID_ARGUMENT, "Healthcheck.Test: %s needs a command", check->test[0]);
}

int health_check_command(const Bulkhead__Healthcheck *check, const Bulkhead__ImageConfig *image, char ***ret_args,
                         size_t *ret_n_args, struct bh_error *error)
{
    static char *default_shell[] = {(char *)(uintptr_t) "/bin/sh", (char *)(uintptr_t) "-c"};
    const bool shell = strcmp(check->test[0], "CMD-SHELL") == 0;
    char *const *before = image && image->n_shell ? image->shell : default_shell;
    const size_t n_before = !shell ? 0 : image && image->n_shell ? image->n_shell : 2;
    char **args = calloc(n_before + check->n_test, sizeof *args);
    if (!args) {
        return bh_error_errno(error, ENOMEM, "describe a health check");
    }
    memcpy(args, before, n_before * sizeof *args);
    memcpy(args + n_before, check->test + 1, (check->n_test - 1) * sizeof *args);
    *ret_args = args;
    *ret_n_args = n_before + check->n_test - 1;
    return 0;
}

int64_t health_check_interval_ns(const Bulkhead__Healthcheck *check, const Bulkhead__Health *health,
                                 int64_t since_start_ns)
{
    if (health->status == BULKHEAD__HEALTH_STATUS__HEALTH_STATUS_STARTING && since_start_ns < check->start_period_ns) {
        return check->start_interval_ns ? check->start_interval_ns : START_INTERVAL_NS;
    }
    return check->interval_ns ? check->interval_ns : INTERVAL_NS;
}

int64_t health_check_timeout_ns(const Bulkhead__Healthcheck *check)
{
    return check->timeout_ns ? check->timeout_ns : TIMEOUT_NS;
}

static void judge(Bulkhead__Health *health, const Bulkhead__Healthcheck *check, int64_t container_started_ns,
                  const struct health_result *result)
{
    const uint32_t retries = check->retries > 0 ? (uint32_t)check->retries : RETRIES;
    const bool starting = health->status == BULKHEAD__HEALTH_STATUS__HEALTH_STATUS_STARTING &&
                          result->started_at_ns - container_started_ns < check->start_period_ns;
    if (result->exit_code == 0) {
        health->failing_streak = 0;
        health->status = BULKHEAD__HEALTH_STATUS__HEALTH_STATUS_HEALTHY;
    } else if (!starting && ++health->failing_streak >= retries) {
        health->status = BULKHEAD__HEALTH_STATUS__HEALTH_STATUS_UNHEALTHY;
    }
}

int health_note(Bulkhead__Health *health, const Bulkhead__Healthcheck *check, int64_t container_started_ns,
                const struct health_result *result, struct bh_error *error)
{
    const size_t more = result->cut ? sizeof HEALTH_OUTPUT_MORE - 1 : 0;
    const size_t n_output = result->n_output < BH_KEPT_OUTPUT_MAX ? result->n_output : BH_KEPT_OUTPUT_MAX;
    Bulkhead__HealthProbe **probes = reallocarray(health->probes, HEALTH_PROBES_MAX, sizeof *probes);
    health->probes = probes ? probes : health->probes;
    bh_autofree Bulkhead__HealthProbe *probe = malloc(sizeof *probe);
    bh_autofree uint8_t *output = malloc(n_output + more + 1);
    if (!probes || !probe || !output) {
        return bh_error_errno(error, ENOMEM, "note a health check");
    }
    bulkhead__health_probe__init(probe);
    if (n_output > 0) {
        memcpy(output, result->output, n_output);
    }
    memcpy(output + n_output, HEALTH_OUTPUT_MORE, more);
    probe->started_at_ns = result->started_at_ns;
    probe->finished_at_ns = result->finished_at_ns;
    probe->exit_code = result->exit_code;
    probe->output = (ProtobufCBinaryData){.len = n_output + more, .data = bh_steal_pointer(&output)};
    if (health->n_probes == HEALTH_PROBES_MAX) {
        bulkhead__health_probe__free_unpacked(probes[0], NULL);
        memmove(probes, probes + 1, --health->n_probes * sizeof *probes);
    }
    probes[health->n_probes++] = bh_steal_pointer(&probe);
    judge(health, check, container_started_ns, result);
    return 0;
}

const char *health_word(Bulkhead__HealthStatus status)
{
    return status == BULKHEAD__HEALTH_STATUS__HEALTH_STATUS_HEALTHY    ? "healthy"
           : status == BULKHEAD__HEALTH_STATUS__HEALTH_STATUS_STARTING ? "starting"
                                                                       : "unhealthy";
}

const char *health_duration(int64_t ns, char *buffer, size_t buffer_bytes)
{
    const long long hours = ns / (3600 * SECOND_NS), minutes = ns / (60 * SECOND_NS) % 60;
    const double seconds = (double)(ns % (60 * SECOND_NS)) / SECOND_NS;
    if (ns < SECOND_NS) {
        (void)snprintf(buffer, buffer_bytes, "%gms", (double)ns / 1e6);
    } else if (hours > 0) {
        (void)snprintf(buffer, buffer_bytes, "%lldh%lldm%gs", hours, minutes, seconds);
    } else if (minutes > 0) {
        (void)snprintf(buffer, buffer_bytes, "%lldm%gs", minutes, seconds);
    } else {
        (void)snprintf(buffer, buffer_bytes, "%gs", seconds);
    }
    return buffer;
}
