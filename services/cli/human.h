/* SPDX-License-Identifier: Apache-2.0
 *
 * Sizes and times as Docker's clients word them, and the times that --since and --until accept.
 */
#pragma once

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

#define HUMAN_BYTES 64

/* "4.27MB": decimal units, three digits that count. Returns `buffer`. */
const char *human_size(uint64_t bytes, char buffer[static HUMAN_BYTES]);
/* "4.271MB": the same with four. */
const char *human_size_precise(uint64_t bytes, char buffer[static HUMAN_BYTES]);
/* "4.27MiB": binary units, four digits. */
const char *human_size_binary(uint64_t bytes, char buffer[static HUMAN_BYTES]);
/* "About a minute", "3 weeks": how Docker words a span of time. */
const char *human_duration(int64_t seconds, char buffer[static HUMAN_BYTES]);
/* "2024-01-31 10:00:00 +0100 CET", in local time. */
const char *human_local_time(int64_t seconds, char buffer[static HUMAN_BYTES]);

/* At most `characters` of UTF-8, the last of them an ellipsis if something was cut off; control characters become
 * spaces. A new JSON string. */
json_t *human_shorten(const char *text, size_t characters);

/* Go's durations: "1h30m", "90s", "1.5h", "300ms", "0". In nanoseconds. Returns 0 or -1. */
int human_parse_duration(const char *text, int64_t *ret_ns);

/* What --since and --until accept ("1706691600", "1706691600.5", "10m", "1h30m", RFC 3339 with or without time and
 * zone) as the API wants it: "seconds.nanoseconds". `now` is the wall clock, in seconds. Returns 0 or -1. */
int human_parse_moment(const char *text, int64_t now, char buffer[static HUMAN_BYTES], struct bh_error *error);
