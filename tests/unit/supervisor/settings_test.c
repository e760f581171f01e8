/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "services/supervisor/settings.h"

static int parse_text(const char *text, mode_t mode, struct settings *settings, struct bh_error *error)
{
    char path[] = "/tmp/bh-settings-XXXXXX";
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    (void)fchmod(fd, mode);
    (void)close(fd);
    char program[] = "bulkheadd", flag[] = "--config";
    char *arguments[] = {program, flag, path, NULL};
    int result = settings_parse(3, arguments, settings, error);
    (void)unlink(path);
    return result;
}

Test(settings, a_file_sets_what_it_names_and_nothing_else)
{
    struct settings settings;
    struct bh_error error;
    cr_assert_eq(parse_text("# comment\n\nstate /srv/bulkhead  \nlog_level debug\nsocket_mode 0600\n"
                            "insecure_registry registry.local:5000\ninsecure_registry 10.0.0.0/8\n",
                            0600, &settings, &error),
                 0, "%s", error.message);
    cr_assert_str_eq(settings.state, "/srv/bulkhead");
    cr_assert_eq(settings.log_level, BH_LOG_DEBUG);
    cr_assert_eq(settings.socket_mode, 0600u);
    cr_assert_eq(settings.n_insecure_registries, 2u, "the default list is replaced, not added to");
    cr_assert_str_eq(settings.socket, "/run/bulkhead/bulkhead.sock");
}

Test(settings, errors_name_the_key_and_its_line)
{
    static const struct {
        const char *text, *says;
    } bad[] = {
        {"\nstat /x\n", "there is no setting \"stat\""},
        {"state relative\n", "not an absolute path"},
        {"log_level loud\n", "none of error, warning, info, debug"},
        {"socket_mode 99\n", "not an octal number"},
        {"tenant_id_count 0\n", "not a number from 1"},
        {"tenant_id_count -5\n", "not a number"},
        {"tenant_id_count 99999999999999999999\n", "not a number"},
        {"link_prefix BH\n", "must be 2 characters of a-z and 0-9"},
        {"link_prefix b\n", "must be 2 characters of a-z and 0-9"},
        {"link_prefix b/x\n", "must be 2 characters of a-z and 0-9"},
        {"state\n", "needs a value"},
        {"registry_mirror mirror.example\n", "must be http://HOST[:PORT] or https://HOST[:PORT]"},
        {"registry_mirror ftp://mirror.example\n", "must be http://HOST[:PORT]"},
        {"registry_mirror https://mirror.example/path\n", "without a path"},
        {"registry_mirror https://user@mirror.example\n", "without a path"},
        {"registry_mirror https://\n", "must be http://HOST[:PORT]"},
        {"address_pool 10.200.0.0/16\n", "must be base=NETWORK/PREFIX,size=PREFIX"},
        {"address_pool base=10.200.0.7/16,size=24\n", "without a bit behind the prefix"},
        {"address_pool base=10.200.0.0/16,size=8\n", "the size must be from 16 to 30"},
        {"address_pool base=10.200.0.0/16,size=31\n", "the size must be from 16 to 30"},
        {"address_pool base=fd00::/48,size=127\n", "the size must be from 48 to 126"},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct settings settings;
        struct bh_error error;
        cr_assert_eq(parse_text(bad[i].text, 0600, &settings, &error), -1, "%s", bad[i].text);
        cr_assert_not_null(strstr(error.message, bad[i].says), "%s: %s", bad[i].text, error.message);
        cr_assert_eq(error.n_context, 1u);
    }
}

Test(settings, a_file_that_others_can_write_is_refused)
{
    struct settings settings;
    struct bh_error error;
    cr_assert_eq(parse_text("log_level debug\n", 0666, &settings, &error), -1);
    cr_assert_eq(error.code, BH_PERMISSION_DENIED);
}

Test(settings, plain_http_is_for_loopback_unless_somebody_says_otherwise)
{
    struct settings settings;
    struct bh_error error;
    cr_assert_eq(parse_text("", 0600, &settings, &error), 0);
    cr_assert_eq(settings.n_insecure_registries, 1u);
    cr_assert_str_eq(settings.insecure_registries[0], "127.0.0.0/8");
}
