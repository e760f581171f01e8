/* SPDX-License-Identifier: Apache-2.0
 *
 * What may be pulled and pushed; see judge.h.
 */
#include "judge.h"

#include "judge_parts.h"

void judge_image(const char *name, const struct rules *rules, struct judgement *ret_judgement)
{
    if (judge_begin(rules, ret_judgement) < 0) {
        return;
    }
    char list[160];
    if (judge_matches_any(&rules->registries_denied, name)) {
        (void)judge_refuse(ret_judgement, rules, RULE_REGISTRIES, "image %.150s is denied; denied are %s", name,
                           judge_list_text(&rules->registries_denied, list, sizeof(list)));
    } else if (!judge_matches_any(&rules->registries_allowed, name)) {
        (void)judge_refuse(ret_judgement, rules, RULE_REGISTRIES, "image %.150s is not allowed; allowed are %s", name,
                           judge_list_text(&rules->registries_allowed, list, sizeof(list)));
    }
}

void judge_image_bytes(uint64_t held_bytes, uint64_t more_bytes, const struct rules *rules,
                       struct judgement *ret_judgement)
{
    if (judge_begin(rules, ret_judgement) < 0) {
        return;
    }
    uint64_t together;
    if (rules->quotas.image_bytes && (__builtin_add_overflow(held_bytes, more_bytes, &together) ||
                                      (more_bytes > 0 && together > rules->quotas.image_bytes))) {
        (void)judge_refuse(ret_judgement, rules, RULE_QUOTAS,
                           "%llu bytes of images beside %llu that are there are not allowed; at most %llu together "
                           "are, remove some first",
                           (unsigned long long)more_bytes, (unsigned long long)held_bytes,
                           (unsigned long long)rules->quotas.image_bytes);
    }
}

void judge_transfers(uint32_t under_way, const struct rules *rules, struct judgement *ret_judgement)
{
    if (judge_begin(rules, ret_judgement) < 0) {
        return;
    }
    if (rules->quotas.pulls && under_way >= rules->quotas.pulls) {
        (void)judge_refuse(ret_judgement, rules, RULE_QUOTAS,
                           "%u pulls and pushes are under way already; at most %llu are allowed at once, wait for one",
                           under_way, (unsigned long long)rules->quotas.pulls);
    }
}
