/* SPDX-License-Identifier: Apache-2.0
 *
 * The option parser: what pflag accepts, it accepts; what pflag refuses, it refuses in the same words.
 */
#include <criterion/criterion.h>
#include <stddef.h>

#include "options.h"

struct values {
    bool flag, other;
    const char *text;
    struct strings list;
    struct option_integer number;
};

static const struct option table[] = {
    {OPTION_FLAG, "detach", 'd', offsetof(struct values, flag), NULL, ""},
    {OPTION_FLAG, "rm", 0, offsetof(struct values, other), NULL, ""},
    {OPTION_TEXT, "name", 'n', offsetof(struct values, text), "string", ""},
    {OPTION_LIST, "env", 'e', offsetof(struct values, list), "list", ""},
    {OPTION_INTEGER, "time", 't', offsetof(struct values, number), "int", ""},
    {0},
};

static struct values values;
static struct strings arguments;
static bool help;
static struct bh_error error;

static int parse(bool options_first, const char *const *words)
{
    int count = 0;
    while (words[count]) {
        count++;
    }
    options_free(table, &values);
    strings_free(&arguments);
    values = (struct values){0};
    help = false;
    error = (struct bh_error){0};
    return options_parse(table, &values, options_first, count, (char *const *)words, &arguments, &help, &error);
}
#define PARSE(first, ...) parse(first, (const char *const[]){__VA_ARGS__, NULL})

static void forget(void)
{
    options_free(table, &values);
    strings_free(&arguments);
}

TestSuite(options, .fini = forget);

Test(options, long_and_short_forms_mean_the_same)
{
    cr_assert_eq(PARSE(false, "--detach", "--name", "a", "--env", "X=1", "--time", "5"), 0);
    cr_assert(values.flag);
    cr_assert_str_eq(values.text, "a");
    cr_assert_str_eq(values.list.items[0], "X=1");
    cr_assert_eq(values.number.value, 5);
    cr_assert_eq(PARSE(false, "-d", "-n", "a", "-eX=1", "-t=5"), 0);
    cr_assert(values.flag);
    cr_assert_str_eq(values.text, "a");
    cr_assert_str_eq(values.list.items[0], "X=1");
    cr_assert_eq(values.number.value, 5);
}

Test(options, a_value_may_follow_an_equals_sign_and_be_empty)
{
    cr_assert_eq(PARSE(false, "--name=", "--env=A=B=C", "--rm=false", "--detach=1"), 0);
    cr_assert_str_eq(values.text, "");
    cr_assert_str_eq(values.list.items[0], "A=B=C");
    cr_assert_not(values.other);
    cr_assert(values.flag);
}

Test(options, letters_cluster)
{
    cr_assert_eq(PARSE(false, "-dt5"), 0);
    cr_assert(values.flag);
    cr_assert_eq(values.number.value, 5);
    cr_assert_eq(PARSE(false, "-dn", "x"), 0);
    cr_assert_str_eq(values.text, "x");
}

Test(options, lists_keep_their_order_and_text_its_last)
{
    cr_assert_eq(PARSE(false, "-e", "A", "--env=B", "-eC", "--name", "one", "--name", "two"), 0);
    cr_assert_eq(values.list.count, 3);
    cr_assert_str_eq(values.list.items[1], "B");
    cr_assert_str_eq(values.list.items[2], "C");
    cr_assert_str_eq(values.text, "two");
}

Test(options, what_follows_the_image_belongs_to_the_container)
{
    cr_assert_eq(PARSE(true, "-d", "image", "sh", "-c", "--rm", "--"), 0);
    cr_assert(values.flag);
    cr_assert_not(values.other);
    cr_assert_eq(arguments.count, 5);
    cr_assert_str_eq(arguments.items[4], "--");
}

Test(options, otherwise_options_may_stand_anywhere_before_two_dashes)
{
    cr_assert_eq(PARSE(false, "a", "-d", "b", "--", "--rm", "-x"), 0);
    cr_assert(values.flag);
    cr_assert_not(values.other);
    cr_assert_eq(arguments.count, 4);
    cr_assert_str_eq(arguments.items[2], "--rm");
}

Test(options, one_dash_alone_is_an_argument)
{
    cr_assert_eq(PARSE(false, "-"), 0);
    cr_assert_str_eq(arguments.items[0], "-");
}

Test(options, help_is_asked_for_by_word_and_letter)
{
    cr_assert_eq(PARSE(false, "--help"), 0);
    cr_assert(help);
    cr_assert_eq(PARSE(false, "-h"), 0);
    cr_assert(help);
}

Test(options, errors_say_what_was_wrong)
{
    cr_assert_eq(PARSE(false, "--nope"), -1);
    cr_assert_str_eq(error.message, "unknown flag: --nope");
    cr_assert_eq(PARSE(false, "--nope=1"), -1);
    cr_assert_str_eq(error.message, "unknown flag: --nope");
    cr_assert_eq(PARSE(false, "-dz"), -1);
    cr_assert_str_eq(error.message, "unknown shorthand flag: 'z' in -dz");
    cr_assert_eq(PARSE(false, "--name"), -1);
    cr_assert_str_eq(error.message, "flag needs an argument: --name");
    cr_assert_eq(PARSE(false, "-n"), -1);
    cr_assert_str_eq(error.message, "flag needs an argument: 'n' in -n");
    cr_assert_eq(PARSE(false, "--time=5x"), -1);
    cr_assert_eq(PARSE(false, "--time="), -1);
    cr_assert_eq(PARSE(false, "-t", "99999999999999999999"), -1);
    cr_assert_str_eq(error.message,
                     "invalid argument \"99999999999999999999\" for \"-t, --time\" flag: want a whole number");
    cr_assert_eq(PARSE(false, "--rm=maybe"), -1);
}
