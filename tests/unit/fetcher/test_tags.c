/* SPDX-License-Identifier: Apache-2.0
 *
 * A page of a list of tags, as registries send it and as they should not.
 */
#include <criterion/criterion.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "services/fetcher/tags.h"

static int parse(const char *text, size_t *ret_n_tags, char *ret_first, size_t first_size)
{
    json_t *json = NULL;
    char **tags = NULL;
    int result = tags_parse(text, strlen(text), &json, &tags, ret_n_tags, NULL);
    if (result == 0) {
        (void)snprintf(ret_first, first_size, "%s", *ret_n_tags ? tags[0] : "");
        free(tags);
        json_decref(json);
    }
    return result;
}

Test(tags, a_list)
{
    size_t n_tags = 0;
    char first[16];
    cr_assert_eq(parse("{\"name\": \"a\", \"tags\": [\"1\", \"latest\"]}", &n_tags, first, sizeof(first)), 0);
    cr_expect_eq(n_tags, 2U);
    cr_expect_str_eq(first, "1");
}

Test(tags, none)
{
    static const char *const empty[] = {"{\"name\": \"a\", \"tags\": null}", "{\"tags\": []}", "{}"};
    for (size_t i = 0; i < sizeof(empty) / sizeof(empty[0]); i++) {
        size_t n_tags = 7;
        char first[16];
        cr_assert_eq(parse(empty[i], &n_tags, first, sizeof(first)), 0, "%s", empty[i]);
        cr_expect_eq(n_tags, 0U);
    }
}

Test(tags, what_is_no_list_is_refused)
{
    static const char *const bad[] = {"",
                                      "[]",
                                      "{\"tags\": \"1\"}",
                                      "{\"tags\": [1]}",
                                      "{\"tags\": [\"../etc\"]}",
                                      "{\"tags\": [\"a b\"]}",
                                      "{\"tags\": [\"\"]}",
                                      "{\"tags\": [\".a\"]}",
                                      "{\"tags\": [\"a\\u0000b\"]}",
                                      "{\"tags\": [\"a\"], \"tags\": [\"b\"]}",
                                      "{\"tags\": [\"a\""};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        size_t n_tags = 0;
        char first[16];
        cr_expect_eq(parse(bad[i], &n_tags, first, sizeof(first)), -1, "%s", bad[i]);
    }
}

Test(tags, grammar)
{
    char longest[BH_TAG_BYTES_MAX + 2];
    memset(longest, 'a', sizeof(longest));
    longest[BH_TAG_BYTES_MAX] = '\0';
    cr_expect(tags_is_tag(longest));
    longest[BH_TAG_BYTES_MAX] = 'a';
    longest[BH_TAG_BYTES_MAX + 1] = '\0';
    cr_expect_not(tags_is_tag(longest));
    cr_expect(tags_is_tag("_v1.0-rc.1"));
    cr_expect_not(tags_is_tag("-1"));
    cr_expect_not(tags_is_tag("a/b"));
}
