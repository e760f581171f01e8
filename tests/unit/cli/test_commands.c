/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of commands, and small things around it: ssh's command line, ports and usage as `ps` and `stats` show them,
 * comma-separated fields.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "base64.h"
#include "command_table.h"
#include "container_ports.h"
#include "container_usage.h"
#include "csv.h"
#include "fields.h"
#include "human.h"
#include "ssh.h"

static struct bh_error error;

Test(commands, names_are_found_and_stand_for_one_command)
{
    cr_assert(command_find("run"));
    cr_assert_eq(command_find("container run"), command_find("run"));
    cr_assert_eq(command_find("container list"), command_find("ps"));
    cr_assert_eq(command_find("image remove"), command_find("rmi"));
    cr_assert_null(command_find("container"));
    cr_assert_null(command_find("container images"));
    cr_assert_null(command_find("container ls, container list"));
    for (const struct command_section *section = command_sections; section->title; section++) {
        for (size_t i = 0; section->commands[i]; i++) {
            const struct command *command = section->commands[i];
            cr_expect_eq(command_find(command->name), command, "%s", command->name);
            cr_expect(*command->summary, "%s", command->name);
            cr_expect_leq(command->arguments_min, command->arguments_max, "%s", command->name);
        }
    }
}

Test(commands, no_option_is_called_like_another)
{
    for (const struct command_section *section = command_sections; section->title; section++) {
        for (size_t i = 0; section->commands[i]; i++) {
            for (const struct option *a = section->commands[i]->options; a && a->kind; a++) {
                for (const struct option *b = a + 1; b->kind; b++) {
                    cr_expect_str_neq(a->name, b->name, "%s --%s", section->commands[i]->name, a->name);
                    cr_expect(!a->letter || a->letter != b->letter, "%s -%c", section->commands[i]->name, a->letter);
                }
            }
        }
    }
}

Test(commands, verbs_of_a_group)
{
    size_t length = 0;
    const char *verb = command_verb_in(command_find("ps"), "container", &length);
    cr_assert(verb);
    cr_expect_eq(length, 2);
    cr_expect_eq(strncmp(verb, "ls", 2), 0);
    cr_assert_null(command_verb_in(command_find("ps"), "image", &length));
}

static const char *ssh_words(const char *host, char *buffer, size_t buffer_bytes)
{
    struct ssh_command command = {0};
    buffer[0] = '\0';
    if (ssh_command_parse(host, &command, &error) < 0) {
        return NULL;
    }
    for (size_t i = 0; command.arguments[i]; i++) {
        size_t used = strlen(buffer);
        (void)snprintf(buffer + used, buffer_bytes - used, "%s%s", i ? " " : "", command.arguments[i]);
    }
    ssh_command_free(&command);
    return buffer;
}

Test(ssh, command_lines)
{
    char words[512];
    cr_expect_str_eq(ssh_words("ssh://host", words, sizeof(words)),
                     "ssh -T -o ConnectTimeout=30 -- host bulkhead system dial-stdio");
    cr_expect_str_eq(
        ssh_words("ssh://me@host:2222/run/x.sock", words, sizeof(words)),
        "ssh -T -o ConnectTimeout=30 -l me -p 2222 -- host bulkhead -H unix:///run/x.sock system dial-stdio");
    cr_expect_str_eq(ssh_words("ssh://[::1]:22/", words, sizeof(words)),
                     "ssh -T -o ConnectTimeout=30 -p 22 -- ::1 bulkhead system dial-stdio");
}

Test(ssh, what_ssh_or_a_shell_could_misread)
{
    static const char *const bad[] = {"ssh://",          "ssh://-oProxyCommand=x", "ssh://-l@host", "ssh://a:b@host",
                                      "ssh://host:x",    "ssh://host:99999",       "ssh://host:",   "ssh://ho st",
                                      "ssh://host/a;b",  "ssh://host/$(x)",        "ssh://@host",   "ssh://[::1",
                                      "ssh://[::1]x:22", "ssh://host/a'b"};
    char words[512];
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        cr_expect_null(ssh_words(bad[i], words, sizeof(words)), "accepted %s as %s", bad[i], words);
    }
}

Test(ports, neighbours_are_drawn_together)
{
    static const struct {
        const char *ports, *wanted;
    } rows[] = {
        {"[]", ""},
        {"[{\"PrivatePort\":80,\"Type\":\"tcp\"}]", "80/tcp"},
        {"[{\"PrivatePort\":81,\"Type\":\"tcp\"},{\"PrivatePort\":80,\"Type\":\"tcp\"}]", "80-81/tcp"},
        {"[{\"IP\":\"0.0.0.0\",\"PrivatePort\":80,\"PublicPort\":8080,\"Type\":\"tcp\"},"
         "{\"IP\":\"::\",\"PrivatePort\":80,\"PublicPort\":8080,\"Type\":\"tcp\"}]",
         "0.0.0.0:8080->80/tcp, [::]:8080->80/tcp"},
        {"[{\"IP\":\"0.0.0.0\",\"PrivatePort\":80,\"PublicPort\":80,\"Type\":\"tcp\"},"
         "{\"IP\":\"0.0.0.0\",\"PrivatePort\":81,\"PublicPort\":81,\"Type\":\"tcp\"},"
         "{\"PrivatePort\":90,\"Type\":\"udp\"}]",
         "0.0.0.0:80-81->80-81/tcp, 90/udp"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        json_auto json_t *ports = json_loads(rows[i].ports, 0, NULL), *text = container_ports_text(ports);
        cr_expect_str_eq(json_string_value(text), rows[i].wanted);
    }
}

Test(usage, sums_of_a_sample)
{
    json_auto json_t *sample = json_loads(
        "{\"id\":\"0123456789abcdef\",\"name\":\"/web\",\"cpu_stats\":{\"cpu_usage\":{\"total_usage\":300},"
        "\"system_cpu_usage\":2000,\"online_cpus\":2},\"precpu_stats\":{\"cpu_usage\":{\"total_usage\":100},"
        "\"system_cpu_usage\":1000},\"memory_stats\":{\"usage\":3145728,\"limit\":4194304,\"stats\":{\"inactive_file\":"
        "1048576}},\"networks\":{\"a\":{\"rx_bytes\":1000,\"tx_bytes\":1},\"b\":{\"rx_bytes\":500,\"tx_bytes\":1}},"
        "\"blkio_stats\":{\"io_service_bytes_recursive\":[{\"op\":\"Read\",\"value\":1000},{\"op\":\"write\",\"value\":"
        "5}]},"
        "\"pids_stats\":{\"current\":7}}",
        0, NULL);
    json_auto json_t *row = container_usage_row(sample, "web", false), *none = container_usage_row(NULL, "web", false);
    cr_expect_str_eq(field_text(row, "ID"), "0123456789ab");
    cr_expect_str_eq(field_text(row, "Name"), "web");
    cr_expect_str_eq(field_text(row, "CPUPerc"), "40.00%");
    cr_expect_str_eq(field_text(row, "MemUsage"), "2MiB / 4MiB");
    cr_expect_str_eq(field_text(row, "MemPerc"), "50.00%");
    cr_expect_str_eq(field_text(row, "NetIO"), "1.5kB / 2B");
    cr_expect_str_eq(field_text(row, "BlockIO"), "1kB / 5B");
    cr_expect_str_eq(field_text(row, "PIDs"), "7");
    cr_expect_str_eq(field_text(none, "MemUsage"), "-- / --");
}

Test(csv, fields_and_quotes)
{
    strings_auto struct strings fields = {0};
    cr_assert_eq(csv_split("a,\"b,c\",\"d\"\"e\",", &fields, &error), 0);
    cr_assert_eq(fields.count, 4);
    cr_expect_str_eq(fields.items[1], "b,c");
    cr_expect_str_eq(fields.items[2], "d\"e");
    cr_expect_str_eq(fields.items[3], "");
    cr_expect_eq(csv_split("\"open", &fields, &error), -1);
    cr_expect_eq(csv_split("\"a\"b", &fields, &error), -1);
}

Test(base64, there_and_back)
{
    static const char *const texts[] = {"", "a", "ab", "abc", "user:pass word", "\xff\xfe\xfd"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        bh_autofree char *encoded = base64_encode(texts[i]), *decoded = base64_decode(encoded);
        cr_expect_str_eq(decoded, texts[i]);
    }
}

Test(human, durations_and_cut_texts)
{
    int64_t ns = 0;
    json_auto json_t *cut = human_shorten("äbcdef", 4), *whole = human_shorten("a\tb", 10);
    cr_expect_eq(human_parse_duration("1m30s", &ns), 0);
    cr_expect_eq(ns, 90000000000);
    cr_expect_eq(human_parse_duration("0", &ns), 0);
    cr_expect_eq(human_parse_duration("", &ns), -1);
    cr_expect_eq(human_parse_duration("5", &ns), -1);
    cr_expect_str_eq(json_string_value(cut), "äbc…");
    cr_expect_str_eq(json_string_value(whole), "a b");
}
