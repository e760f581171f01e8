/* SPDX-License-Identifier: Apache-2.0
 *
 * Moments as Docker's clients name them: `since`, `until` of events, logs and prunes. Pure.
 */
#pragma once

#include <stdint.h>

#include "common/error.h"

/* Seconds since 1970 with an optional fraction ("1700000000.25"), a time of the kind 2006-01-02T15:04:05.5+02:00 of
 * which seconds, minutes, the time of day and the zone (then UTC) may be missing, or how long ago ("1h30m", "2.5s"),
 * seen from `now_ns`. `name` names the parameter in errors. */
int docker_when_parse(const char *name, const char *text, int64_t now_ns, int64_t *ret_ns, struct bh_error *error);
/* Go's durations: "300ms", "-1.5h", "2h45m". */
int docker_duration_parse(const char *text, int64_t *ret_ns, struct bh_error *error);
