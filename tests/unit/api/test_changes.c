/* SPDX-License-Identifier: Apache-2.0
 *
 * Changes to an image's config by Dockerfile instructions: what Docker's parser makes of the same text.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "changes.h"
#include "common/fields.h"
#include "dockerfile_words.h"

static Bulkhead__ImageConfig *config;
static struct bh_error error;

static void begin(void)
{
    config = malloc(sizeof *config);
    bulkhead__image_config__init(config);
}
static void end(void)
{
    bulkhead__image_config__free_unpacked(config, NULL);
}
TestSuite(changes, .init = begin, .fini = end);

static void apply(const char *text)
{
    error = (struct bh_error){0};
    cr_assert_eq(changes_apply(text, config, &error), 0, "%s: %s", text, error.message);
}

static void refuse(const char *text, const char *reason)
{
    error = (struct bh_error){0};
    cr_assert_eq(changes_apply(text, config, &error), -1, "%s", text);
    cr_assert_eq(error.code, BH_INVALID_ARGUMENT);
    cr_assert(strstr(error.message, reason), "%s: \"%s\"", text, error.message);
}

/* "a|b|c" of a list. */
static const char *joined(char *const *list, size_t n)
{
    static char text[1024];
    text[0] = '\0';
    for (size_t i = 0; i < n; i++) {
        strcat(text, i ? "|" : "");
        strcat(text, list[i]);
    }
    return text;
}
#define LIST(field) joined(config->field, config->n_##field)

Test(changes, commands)
{
    apply("CMD [\"a\", \"b c\"]");
    cr_assert_str_eq(LIST(cmd), "a|b c");
    apply("cmd echo  $HOME \"x\"");
    cr_assert_str_eq(LIST(cmd), "/bin/sh|-c|echo  $HOME \"x\"");
    apply("CMD [not json");
    cr_assert_str_eq(LIST(cmd), "/bin/sh|-c|[not json");
    refuse("CMD [\"a\", 1]", "comprised of strings only");
    refuse("CMD", "CMD requires at least one argument");
}

Test(changes, an_entrypoint_takes_an_inherited_cmd_away)
{
    apply("CMD [\"inherited\"]");
    apply("ENTRYPOINT [\"/e\"]");
    cr_assert_str_eq(LIST(entrypoint), "/e");
    cr_assert_str_eq(LIST(cmd), "");
    apply("CMD [\"kept\"]\nENTRYPOINT x");
    cr_assert_str_eq(LIST(cmd), "kept");
    cr_assert_str_eq(LIST(entrypoint), "/bin/sh|-c|x");
}

Test(changes, environment)
{
    apply("ENV A=1 B=\"two words\" C='$A' D=a\\ b");
    cr_assert_str_eq(LIST(env), "A=1|B=two words|C=$A|D=a b");
    apply("ENV A=$A$A E=${A}x F=\"${NO:-fall $A}\" G=${A:+set} H=\\$A");
    cr_assert_str_eq(LIST(env), "A=11|B=two words|C=$A|D=a b|E=1x|F=fall 1|G=set|H=$A");
    apply("ENV OLD the whole rest");
    cr_assert_str_eq(config->env[config->n_env - 1], "OLD=the whole rest");
    refuse("ENV ONE", "ENV must have two arguments");
    refuse("ENV A=1 B", "can't find =");
    refuse("ENV A=${B", "missing '}'");
    refuse("ENV A=\"b", "double-quote");
    refuse("ENV A=${A%b}", "unsupported modifier");
}

Test(changes, doubling_is_bounded)
{
    apply("ENV A=0123456789");
    for (int i = 0; i < 13; i++) {
        apply("ENV A=$A$A");
    }
    for (int i = 0; i < 40; i++) {
        if (changes_apply("ENV A=$A$A", config, &error) < 0) {
            cr_assert(strstr(error.message, "grows to more than"));
            return;
        }
    }
    cr_assert_fail("it grew without end");
}

Test(changes, labels)
{
    apply("LABEL a=b \"the key\"=\"the value\" a=c");
    cr_assert_eq(config->n_labels, 2);
    cr_assert_str_eq(config->labels[0]->value, "c");
    cr_assert_str_eq(config->labels[1]->key, "the key");
    cr_assert_str_eq(config->labels[1]->value, "the value");
}

Test(changes, ports)
{
    apply("ENV P=443");
    apply("EXPOSE 80 53/udp 8000-8002/TCP $P 80/tcp");
    cr_assert_str_eq(LIST(exposed_ports), "80/tcp|53/udp|8000/tcp|8001/tcp|8002/tcp|443/tcp");
    refuse("EXPOSE http", "invalid containerPort");
    refuse("EXPOSE 70000", "invalid containerPort");
    refuse("EXPOSE 9-8", "invalid containerPort");
    refuse("EXPOSE 80/icmp", "invalid proto");
    refuse("EXPOSE 1-65535", "at most");
}

Test(changes, the_rest)
{
    apply("USER 1000:1000");
    cr_assert_str_eq(config->user, "1000:1000");
    apply("WORKDIR /a/b");
    apply("WORKDIR ../c/./d");
    cr_assert_str_eq(config->working_dir, "/a/c/d");
    apply("WORKDIR ../../../../..");
    cr_assert_str_eq(config->working_dir, "/");
    apply("VOLUME [\"/data\", \"/x y\"]\nVOLUME /data /more");
    cr_assert_str_eq(LIST(volumes), "/data|/x y|/more");
    refuse("VOLUME [\"\"]", "can not be an empty string");
    apply("STOPSIGNAL SIGUSR1");
    cr_assert_str_eq(config->stop_signal, "SIGUSR1");
    refuse("STOPSIGNAL SIGNOT", "invalid signal");
    apply("ONBUILD RUN echo  two");
    cr_assert_str_eq(LIST(on_build), "RUN echo  two");
    refuse("ONBUILD onbuild RUN x", "Chaining ONBUILD");
    refuse("ONBUILD FROM x", "isn't allowed as an ONBUILD trigger");
}

Test(changes, health_checks)
{
    apply("HEALTHCHECK --interval=1m30s --timeout=500ms --retries=3 --start-period=1.5h CMD curl x || exit 1");
    cr_assert_str_eq(joined(config->healthcheck->test, config->healthcheck->n_test), "CMD-SHELL|curl x || exit 1");
    cr_assert_eq(config->healthcheck->interval_ns, 90000000000LL);
    cr_assert_eq(config->healthcheck->timeout_ns, 500000000LL);
    cr_assert_eq(config->healthcheck->start_period_ns, 5400000000000LL);
    cr_assert_eq(config->healthcheck->retries, 3);
    apply("HEALTHCHECK CMD [\"a\",\"b\"]");
    cr_assert_str_eq(joined(config->healthcheck->test, config->healthcheck->n_test), "CMD|a|b");
    apply("HEALTHCHECK NONE");
    cr_assert_str_eq(joined(config->healthcheck->test, config->healthcheck->n_test), "NONE");
    refuse("HEALTHCHECK --interval=1 CMD x", "invalid duration");
    refuse("HEALTHCHECK --interval=1us CMD x", "cannot be less than 1ms");
    refuse("HEALTHCHECK --retries=-1 CMD x", "must be a whole number");
    refuse("HEALTHCHECK --what=1 CMD x", "Unknown flag");
    refuse("HEALTHCHECK CMD", "Missing command");
    refuse("HEALTHCHECK RUN x", "Unknown type");
}

Test(changes, lines)
{
    apply("# a comment\n\n  ENV A=1 \\\n  # another\n    B=2\nUSER x  \n");
    cr_assert_str_eq(LIST(env), "A=1|B=2");
    cr_assert_str_eq(config->user, "x");
    apply("");
    refuse("RUN true", "RUN is not a valid change command");
    refuse("FROM x", "FROM is not a valid change command");
}
