/* SPDX-License-Identifier: Apache-2.0
 *
 * What health checks are made of and what their results mean.
 */
#ifdef __clang__ /* messages in tests point at literals */
#pragma GCC diagnostic ignored "-Wincompatible-pointer-types-discards-qualifiers"
#else
#pragma GCC diagnostic ignored "-Wdiscarded-qualifiers"
#endif

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "common/limits.h"
#include "services/engine/health_check.h"

#define SECOND 1000000000LL

static char *words[] = {"CMD-SHELL", "look"}, *none[] = {"NONE"}, *odd[] = {"RUN", "x"}, *bare[] = {"CMD"};

static Bulkhead__Healthcheck check_of(char **test, size_t n_test)
{
    Bulkhead__Healthcheck check = BULKHEAD__HEALTHCHECK__INIT;
    check.test = test;
    check.n_test = n_test;
    return check;
}

static Bulkhead__Health *new_health(void)
{
    Bulkhead__Health *health = malloc(sizeof *health);
    bulkhead__health__init(health);
    health->status = BULKHEAD__HEALTH_STATUS__HEALTH_STATUS_STARTING;
    return health;
}

static void note(Bulkhead__Health *health, const Bulkhead__Healthcheck *check, int64_t at_ns, int exit_code)
{
    struct bh_error error;
    const struct health_result result = {
        .started_at_ns = at_ns, .finished_at_ns = at_ns + 1, .exit_code = exit_code, .output = "said", .n_output = 4};
    cr_assert_eq(health_note(health, check, 0, &result, &error), 0);
}

Test(health_check, flags_change_the_images_field_by_field)
{
    Bulkhead__ImageConfig image = BULKHEAD__IMAGE_CONFIG__INIT;
    Bulkhead__ContainerRequest request = BULKHEAD__CONTAINER_REQUEST__INIT;
    Bulkhead__Healthcheck below = check_of(words, 2), above = check_of(NULL, 0), merged;
    cr_expect_not(health_check_merge(&image, &request, &merged));
    below.interval_ns = 7 * SECOND;
    below.retries = 9;
    above.interval_ns = 3 * SECOND;
    image.healthcheck = &below;
    cr_expect(health_check_merge(&image, &request, &merged) && merged.interval_ns == 7 * SECOND);
    request.healthcheck = &above;
    cr_assert(health_check_merge(&image, &request, &merged));
    cr_expect(merged.interval_ns == 3 * SECOND && merged.retries == 9 && merged.n_test == 2);
    cr_expect(health_check_runs(&merged));
    above.test = none;
    above.n_test = 1;
    cr_expect(health_check_merge(NULL, &request, &merged) && !health_check_runs(&merged));
    cr_expect(health_check_merge(&image, &request, &merged) && !health_check_runs(&merged));
}

Test(health_check, what_is_none_is_refused_by_name)
{
    struct bh_error error;
    Bulkhead__Healthcheck check = check_of(odd, 2);
    Bulkhead__KeyValue label = BULKHEAD__KEY_VALUE__INIT, *labels[] = {&label};
    cr_expect_eq(health_check_refuse(&check, NULL, 0, &error), 0, "Docker takes it");
    cr_expect_not(health_check_runs(&check), "and runs nothing");
    check = check_of(bare, 1);
    cr_expect_eq(health_check_refuse(&check, NULL, 0, &error), -1);
    check = check_of(words, 2);
    cr_expect_eq(health_check_refuse(&check, NULL, 0, &error), 0);
    cr_expect_eq(health_check_refuse(NULL, NULL, 0, &error), 0);
    label.key = HEALTH_ON_FAILURE_LABEL;
    label.value = "explode";
    cr_expect_eq(health_check_refuse(&check, labels, 1, &error), -1);
    cr_expect_not_null(strstr(error.message, "none, kill, restart or stop"));
    label.value = "restart";
    cr_expect_eq(health_check_refuse(&check, labels, 1, &error), 0);
    cr_expect_eq(health_on_failure_of(labels, 1), HEALTH_RESTART);
    cr_expect_eq(health_on_failure_of(NULL, 0), HEALTH_NOTHING);
}

Test(health_check, a_text_is_for_the_images_shell)
{
    struct bh_error error;
    Bulkhead__ImageConfig image = BULKHEAD__IMAGE_CONFIG__INIT;
    Bulkhead__Healthcheck check = check_of(words, 2);
    char **args, *shell[] = {"/bin/ash", "-e", "-c"};
    size_t n;
    cr_assert_eq(health_check_command(&check, &image, &args, &n, &error), 0);
    cr_expect(n == 3 && strcmp(args[0], "/bin/sh") == 0 && strcmp(args[1], "-c") == 0 && strcmp(args[2], "look") == 0);
    free(args);
    image.shell = shell;
    image.n_shell = 3;
    cr_assert_eq(health_check_command(&check, &image, &args, &n, &error), 0);
    cr_expect(n == 4 && strcmp(args[0], "/bin/ash") == 0 && strcmp(args[3], "look") == 0);
    free(args);
    char *plain[] = {"CMD", "look", "here"};
    check = check_of(plain, 3);
    cr_assert_eq(health_check_command(&check, &image, &args, &n, &error), 0);
    cr_expect(n == 2 && strcmp(args[0], "look") == 0 && strcmp(args[1], "here") == 0);
    free(args);
}

Test(health_check, three_failures_make_it_unhealthy_and_one_success_healthy)
{
    Bulkhead__Healthcheck check = check_of(words, 2);
    Bulkhead__Health *health = new_health();
    note(health, &check, SECOND, 1);
    note(health, &check, 2 * SECOND, 1);
    cr_expect_eq(health->status, BULKHEAD__HEALTH_STATUS__HEALTH_STATUS_STARTING);
    note(health, &check, 3 * SECOND, -1);
    cr_expect_eq(health->status, BULKHEAD__HEALTH_STATUS__HEALTH_STATUS_UNHEALTHY);
    cr_expect_eq(health->failing_streak, 3);
    note(health, &check, 4 * SECOND, 0);
    cr_expect_eq(health->status, BULKHEAD__HEALTH_STATUS__HEALTH_STATUS_HEALTHY);
    cr_expect_eq(health->failing_streak, 0);
    check.retries = 1;
    note(health, &check, 5 * SECOND, 2);
    cr_expect_eq(health->status, BULKHEAD__HEALTH_STATUS__HEALTH_STATUS_UNHEALTHY);
    note(health, &check, 6 * SECOND, 2);
    cr_expect(health->n_probes == 5 && health->probes[0]->started_at_ns == 2 * SECOND);
    bulkhead__health__free_unpacked(health, NULL);
}

Test(health_check, failures_while_it_starts_do_not_count)
{
    Bulkhead__Healthcheck check = check_of(words, 2);
    Bulkhead__Health *health = new_health();
    check.start_period_ns = 10 * SECOND;
    check.retries = 1;
    cr_expect_eq(health_check_interval_ns(&check, health, SECOND), 5 * SECOND);
    cr_expect_eq(health_check_interval_ns(&check, health, 11 * SECOND), 30 * SECOND);
    check.start_interval_ns = SECOND;
    cr_expect_eq(health_check_interval_ns(&check, health, SECOND), SECOND);
    note(health, &check, 9 * SECOND, 1);
    cr_expect(health->failing_streak == 0 && health->status == BULKHEAD__HEALTH_STATUS__HEALTH_STATUS_STARTING);
    note(health, &check, 9 * SECOND, 0);
    cr_expect_eq(health_check_interval_ns(&check, health, SECOND), 30 * SECOND);
    note(health, &check, 9 * SECOND, 1); /* it was healthy: the period is over */
    cr_expect_eq(health->status, BULKHEAD__HEALTH_STATUS__HEALTH_STATUS_UNHEALTHY);
    bulkhead__health__free_unpacked(health, NULL);
}

Test(health_check, output_is_cut_and_says_so)
{
    static char long_output[BH_KEPT_OUTPUT_MAX + 9];
    struct bh_error error;
    Bulkhead__Healthcheck check = check_of(words, 2);
    Bulkhead__Health *health = new_health();
    memset(long_output, 'x', sizeof long_output);
    const struct health_result result = {.output = long_output, .n_output = sizeof long_output, .cut = true};
    cr_assert_eq(health_note(health, &check, 0, &result, &error), 0);
    const ProtobufCBinaryData *output = &health->probes[0]->output;
    cr_expect_eq(output->len, BH_KEPT_OUTPUT_MAX + 3);
    cr_expect(memcmp(output->data + BH_KEPT_OUTPUT_MAX - 1, "x...", 4) == 0);
    bulkhead__health__free_unpacked(health, NULL);
}

Test(health_check, durations_read_like_gos)
{
    char buffer[64];
    cr_expect_str_eq(health_duration(300000000, buffer, sizeof buffer), "300ms");
    cr_expect_str_eq(health_duration(SECOND, buffer, sizeof buffer), "1s");
    cr_expect_str_eq(health_duration(1500000000, buffer, sizeof buffer), "1.5s");
    cr_expect_str_eq(health_duration(90 * SECOND, buffer, sizeof buffer), "1m30s");
    cr_expect_str_eq(health_duration(3600 * SECOND, buffer, sizeof buffer), "1h0m0s");
}
