/* SPDX-License-Identifier: Apache-2.0
 *
 * Times as Docker's clients write and read them. Pure functions; no time zone files are read (there are none in the
 * sandbox): everything is UTC.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

#define DOCKER_TIME_SIZE    36
#define HTTP_DATE_SIZE      32
#define HUMAN_DURATION_SIZE 32

/* RFC 3339 with as many fractional digits as needed; "0001-01-01T00:00:00Z" for 0 ns (never). Returns `buffer`. */
const char *docker_time(int64_t ns, char buffer[static DOCKER_TIME_SIZE]);
/* The same with exactly nine digits, as `logs --timestamps` prints it. */
const char *docker_time_fixed(int64_t ns, char buffer[static DOCKER_TIME_SIZE]);
/* Parses RFC 3339 with up to nine fractional digits and "Z" or an offset. */
int docker_time_parse(const char *text, size_t n_bytes, int64_t *ret_ns, struct bh_error *error);
/* Parses what clients send as `since` and `until`: seconds since 1970 with an optional fraction ("1700000000.25"), or
 * RFC 3339. `name` names the parameter in errors. */
int docker_time_parse_stamp(const char *name, const char *text, int64_t *ret_ns, struct bh_error *error);
/* "Less than a second", "5 minutes", "About an hour": what `ps` prints. */
const char *human_duration(int64_t seconds, char buffer[static HUMAN_DURATION_SIZE]);
/* Now, as the Date field wants it (RFC 9110 5.6.7). */
const char *http_date(char buffer[static HTTP_DATE_SIZE]);
