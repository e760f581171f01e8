/* SPDX-License-Identifier: Apache-2.0
 *
 * What a health check is and what its results mean, as Docker has it. Pure.
 */
#pragma once

#include <stdbool.h>

#include "api_engine.pb-c.h"
#include "common/error.h"

#define HEALTH_PROBES_MAX       5
#define HEALTH_ON_FAILURE_LABEL "io.bulkhead.health-on-failure"

/* What happens to a container that became unhealthy. */
enum health_on_failure { HEALTH_NOTHING, HEALTH_KILL, HEALTH_RESTART, HEALTH_STOP };

/* The image's check with the request's own fields on top; false if neither has one. The result borrows from both. */
bool health_check_merge(const Bulkhead__ImageConfig *image, const Bulkhead__ContainerRequest *request,
                        Bulkhead__Healthcheck *ret_check);
/* Whether there is something to run: not for NONE. */
bool health_check_runs(const Bulkhead__Healthcheck *check);
/* INVALID_ARGUMENT for a kind of test, a command, or a label that is none. */
int health_check_refuse(const Bulkhead__Healthcheck *check, Bulkhead__KeyValue *const *labels, size_t n_labels,
                        struct bh_error *error);
enum health_on_failure health_on_failure_of(Bulkhead__KeyValue *const *labels, size_t n_labels);

/* The program to run: CMD's own words, or CMD-SHELL's text for the image's shell. The words are borrowed, the array is
 * the caller's. */
int health_check_command(const Bulkhead__Healthcheck *check, const Bulkhead__ImageConfig *image, char ***ret_args,
                         size_t *ret_n_args, struct bh_error *error);

/* In force: Docker's where the check says nothing. The interval is shorter while a container is starting. */
int64_t health_check_interval_ns(const Bulkhead__Healthcheck *check, const Bulkhead__Health *health,
                                 int64_t since_start_ns);
int64_t health_check_timeout_ns(const Bulkhead__Healthcheck *check);

/* Notes a result, and what follows from it. `output` is cut at BH_KEPT_OUTPUT_MAX. */
struct health_result {
    int64_t started_at_ns, finished_at_ns;
    int32_t exit_code;
    const void *output;
    size_t n_output;
    bool cut; /* there was more */
};
int health_note(Bulkhead__Health *health, const Bulkhead__Healthcheck *check, int64_t container_started_ns,
                const struct health_result *result, struct bh_error *error);

/* "starting", "healthy", "unhealthy". */
const char *health_word(Bulkhead__HealthStatus status);
/* "1m30s", "500ms", as Go writes durations. */
const char *health_duration(int64_t ns, char *buffer, size_t buffer_bytes);
