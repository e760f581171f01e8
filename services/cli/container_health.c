/* SPDX-License-Identifier: Apache-2.0
 *
 * Health checks of the create request. What is to happen when one fails has no field in Docker's API: it travels as a
 * label.
 */
#include "container_health.h"

#include <string.h>

#include "fields.h"
#include "human.h"

#define ON_FAILURE_LABEL "io.bulkhead.health-on-failure"

static int add_duration(json_t *check, const char *key, const char *option, const char *text, struct bh_error *error)
{
    int64_t nanoseconds = 0;
    if (!text) {
        return 0;
    }
    if (human_parse_duration(text, &nanoseconds) < 0) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "invalid argument \"%s\" for \"--%s\" flag: want a duration like 30s or 1m30s", text,
                            option);
    }
    return field_set(check, key, json_integer(nanoseconds), error);
}

static int add_on_failure(json_t *request, const char *what, struct bh_error *error)
{
    static const char *const words[] = {"none", "kill", "restart", "stop"};
    json_t *labels = json_object_get(request, "Labels");
    bool known = false;
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
        known = known || strcmp(what, words[i]) == 0;
    }
    if (!known) {
        return bh_error_set(
            error, BH_INVALID_ARGUMENT,
            "invalid argument \"%s\" for \"--health-on-failure\" flag: want none, kill, restart or stop", what);
    }
    if (!labels && field_set(request, "Labels", labels = json_object(), error) < 0) {
        return -1;
    }
    return field_set(labels, ON_FAILURE_LABEL, json_string(what), error);
}

int container_health_add(json_t *request, const struct container_options *options, struct bh_error *error)
{
    json_auto json_t *check = json_object();
    if (options->health_on_failure && add_on_failure(request, options->health_on_failure, error) < 0) {
        return -1;
    }
    if (options->health_retries.given && options->health_retries.value < 0) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "--health-retries cannot be negative");
    }
    if (add_duration(check, "Interval", "health-interval", options->health_interval, error) < 0 ||
        add_duration(check, "Timeout", "health-timeout", options->health_timeout, error) < 0 ||
        add_duration(check, "StartPeriod", "health-start-period", options->health_start_period, error) < 0 ||
        add_duration(check, "StartInterval", "health-start-interval", options->health_start_interval, error) < 0 ||
        (options->health_retries.given &&
         field_set(check, "Retries", json_integer(options->health_retries.value), error) < 0) ||
        (options->health_command &&
         field_set(check, "Test", json_pack("[s, s]", "CMD-SHELL", options->health_command), error) < 0)) {
        return -1;
    }
    if (options->no_healthcheck) {
        if (json_object_size(check) > 0) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "--no-healthcheck conflicts with --health-* options");
        }
        return field_set(request, "Healthcheck", json_pack("{s:[s]}", "Test", "NONE"), error);
    }
    return json_object_size(check) > 0 ? field_set(request, "Healthcheck", json_incref(check), error) : 0;
}
