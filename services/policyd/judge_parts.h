/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside of judge.c: what its parts share.
 */
#pragma once

#include "judge.h"

/* Refuses; returns -1, so that checks read as one chain. */
int judge_refuse(struct judgement *judgement, const struct rules *rules, enum rule rule, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Begins a judgement. Refuses if there are no rules to judge by. */
int judge_begin(const struct rules *rules, struct judgement *ret_judgement);
bool judge_matches_any(const struct rules_list *list, const char *text);
/* "a, b" or "nothing", for messages. Returns `buffer`. */
const char *judge_list_text(const struct rules_list *list, char *buffer, size_t buffer_bytes);

/* judge_limits.c */
int judge_limits(const Bulkhead__Resources *resources, const struct rules *rules, struct judgement *judgement);

/* judge_network.c */
int judge_network_mode(const Bulkhead__ContainerSpec *spec, const struct rules *rules, struct judgement *judgement);

/* judge_devices.c */
int judge_devices(const Bulkhead__ContainerSpec *spec, const struct rules *rules, struct judgement *judgement);
int judge_place(const Bulkhead__ContainerSpec *spec, const struct rules *rules, struct judgement *judgement);
