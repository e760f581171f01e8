/* SPDX-License-Identifier: Apache-2.0
 *
 * Filters of lists.
 */
#include <criterion/criterion.h>

#include "services/engine/filters.h"

#define TEXT(text) ((char *)(uintptr_t)(text))

static Bulkhead__Filter filter;
static char *values[2];

static const Bulkhead__Filter *by(const char *first, const char *second)
{
    bulkhead__filter__init(&filter);
    filter.key = TEXT("key");
    values[0] = TEXT(first);
    values[1] = TEXT(second);
    filter.values = values;
    filter.n_values = second ? 2 : 1;
    return &filter;
}

Test(filters, absent_ones_match_everything)
{
    cr_assert(filters_match_exactly(NULL, "x"));
    cr_assert(filters_match_prefix(NULL, "x"));
    cr_assert(filters_match_name(NULL, "x"));
    cr_assert(filters_match_labels(NULL, NULL, 0));
    cr_assert(filters_match_reference(NULL, "x:1"));
}

Test(filters, values_are_alternatives)
{
    cr_assert(filters_match_exactly(by("a", "b"), "b"));
    cr_assert_not(filters_match_exactly(by("a", "b"), "ab"));
    cr_assert(filters_match_prefix(by("ab", NULL), "abc"));
    cr_assert_not(filters_match_prefix(by("abc", NULL), "ab"));
}

Test(filters, names)
{
    cr_assert(filters_match_name(by("eb", NULL), "web1"));
    cr_assert(filters_match_name(by("^/web1$", NULL), "web1"));
    cr_assert(filters_match_name(by("^web", NULL), "web1"));
    cr_assert(filters_match_name(by("/web", NULL), "web1"));
    cr_assert_not(filters_match_name(by("^/web$", NULL), "web1"));
    cr_assert_not(filters_match_name(by("^eb", NULL), "web1"));
    cr_assert_not(filters_match_name(by("web$", NULL), "web1"));
}

Test(filters, labels_are_all_required)
{
    Bulkhead__KeyValue a = BULKHEAD__KEY_VALUE__INIT, b = a;
    Bulkhead__KeyValue *labels[] = {&a, &b};
    a.key = TEXT("k"), a.value = TEXT("v=1");
    b.key = TEXT("empty");
    cr_assert(filters_match_labels(by("k", NULL), labels, 2));
    cr_assert(filters_match_labels(by("k=v=1", "empty"), labels, 2));
    cr_assert(filters_match_labels(by("empty=", NULL), labels, 2));
    cr_assert_not(filters_match_labels(by("k=v", NULL), labels, 2));
    cr_assert_not(filters_match_labels(by("k", "absent"), labels, 2));
}

Test(filters, references)
{
    cr_assert(filters_match_reference(by("busybox", NULL), "busybox:latest"));
    cr_assert(filters_match_reference(by("busy*:l*", NULL), "busybox:latest"));
    cr_assert(filters_match_reference(by("localhost:5000/*/box", NULL), "localhost:5000/team/box:1"));
    cr_assert_not(filters_match_reference(by("busy*:1", NULL), "busybox:latest"));
    cr_assert_not(filters_match_reference(by("*", NULL), "team/box:1"));
}

Test(filters, keys_and_booleans)
{
    struct bh_error error = {0};
    bool value = false;
    static const char *const known[] = {"key", NULL}, *const others[] = {"other", NULL};
    Bulkhead__Filter *list[] = {&filter};
    (void)by("true", NULL);
    cr_assert_eq(filters_check(list, 1, known, &error), 0);
    cr_assert_eq(filters_check(list, 1, others, &error), -1);
    cr_assert_str_eq(error.message, "invalid filter 'key'");
    cr_assert_eq(filters_boolean(&filter, &value, &error), 0);
    cr_assert(value);
    cr_assert_eq(filters_boolean(by("0", NULL), &value, &error), 0);
    cr_assert_not(value);
    cr_assert_eq(filters_boolean(by("maybe", NULL), &value, &error), -1);
    cr_assert_eq(filters_find(list, 1, "key"), &filter);
    cr_assert_null(filters_find(list, 1, "nokey"));
}
