/* SPDX-License-Identifier: Apache-2.0
 *
 * Rule files: read strictly, refused by name.
 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capability_names.h"
#include "common/cleanup.h"
#include "rules_file.h"

static struct rules rules;
static struct bh_error error;

static int parse(const char *text)
{
    error = (struct bh_error){0};
    return rules_parse("t.json", text, strlen(text), &rules, &error);
}

Test(rules, a_whole_file)
{
    cr_assert_eq(
        parse("{\"version\": 1, \"tenants\": [1000, \"others\"], \"audit_only\": true,"
              "\"capabilities\": [\"CHOWN\", \"CAP_NET_ADMIN\"], \"privileged\": true,"
              "\"seccomp\": [\"default\", \"profile\"], \"host_namespaces\": [\"pid\"], \"networks\": [\"host\"],"
              "\"mounts\": {\"paths\": [\"/srv\"], \"must_be_owned\": false},"
              "\"registries\": {\"allow\": [\"a/*\"], \"deny\": [\"b/*\"]}, \"sysctls\": [\"net.*\"],"
              "\"system_paths\": true, \"oom_score_minimum\": -10,"
              "\"devices\": [\"/dev/fuse\", \"/dev/sd*:r\"], \"device_rules\": true,"
              "\"cgroup_parents\": [\"web/*\"], \"labels\": true,"
              "\"quotas\": {\"containers\": 3, \"containers_kept\": 7, \"memory_bytes\": 4, \"cpus\": 1.5, \"pids\": 5, "
              "\"disk_bytes\": 6, \"image_bytes\": 8}}"),
        0, "%s", error.message);
    cr_assert_eq(rules.n_uids, 1);
    cr_assert_eq(rules.uids[0], 1000);
    cr_assert(rules.for_others && !rules.for_root && rules.audit_only && rules.privileged && rules.system_paths);
    cr_assert_eq(rules.capabilities, 1ULL << CAP_CHOWN | 1ULL << CAP_NET_ADMIN);
    cr_assert_eq(rules.seccomp, RULES_SECCOMP_DEFAULT | RULES_SECCOMP_PROFILE);
    cr_assert_eq(rules.host_namespaces, RULES_HOST_PID);
    cr_assert_eq(rules.networks, RULES_NETWORK_HOST);
    cr_assert_str_eq(rules.mount_paths.items[0], "/srv");
    cr_assert_not(rules.mounts_must_be_owned);
    cr_assert_eq(rules.quotas.cpu_quota_us, 150000);
    cr_assert_eq(rules.quotas.pids, 5);
    cr_assert_eq(rules.quotas.containers_kept, 7);
    cr_assert_eq(rules.quotas.disk_bytes, 6);
    cr_assert_eq(rules.quotas.image_bytes, 8);
    cr_assert_eq(rules.devices.n, 2);
    cr_assert_str_eq(rules.cgroup_parents.items[0], "web/*");
    cr_assert(rules.device_rules && rules.labels);
    char origin[128];
    cr_assert_str_eq(rules_origin(&rules, RULE_SECCOMP, origin, sizeof(origin)), "policy.d/t.json");
}

Test(rules, what_a_file_does_not_mention_stays_built_in)
{
    cr_assert_eq(parse("{\"version\":1,\"tenants\":[1000],\"networks\":[\"host\"]}"), 0, "%s", error.message);
    cr_assert_eq(rules.capabilities, rules_builtin(false)->capabilities);
    cr_assert(rules.mounts_must_be_owned);
    char origin[128];
    cr_assert_str_eq(rules_origin(&rules, RULE_SECCOMP, origin, sizeof(origin)),
                     "the built-in rules for other tenants");
    cr_assert_eq(parse("{\"version\":1,\"tenants\":[\"root\"],\"privileged\":false}"), 0, "%s", error.message);
    cr_assert_eq(rules.capabilities, CAPABILITY_ALL);
    cr_assert_not(rules.privileged);
}

Test(rules, mistakes_are_named)
{
    const struct {
        const char *text, *named;
    } rows[] = {
        {"", "t.json"},
        {"[]", "object"},
        {"{\"version\":1}", "tenants"},
        {"{\"tenants\":[1]}", "version"},
        {"{\"version\":2,\"tenants\":[1]}", "version"},
        {"{\"version\":1,\"tenants\":[]}", "tenants"},
        {"{\"version\":1,\"tenants\":[-1]}", "tenants"},
        {"{\"version\":1,\"tenants\":[4294967295]}", "tenants"},
        {"{\"version\":1,\"tenants\":[\"root\",1]}", "tenants"},
        {"{\"version\":1,\"tenants\":[\"everybody\"]}", "tenants"},
        {"{\"version\":1,\"tenants\":[1],\"priviledged\":true}", "priviledged"},
        {"{\"version\":1,\"tenants\":[1],\"privileged\":\"yes\"}", "privileged"},
        {"{\"version\":1,\"tenants\":[1],\"capabilities\":[\"ROOT\"]}", "capabilities"},
        {"{\"version\":1,\"tenants\":[1],\"capabilities\":\"most\"}", "capabilities"},
        {"{\"version\":1,\"tenants\":[1],\"seccomp\":[\"off\"]}", "seccomp"},
        {"{\"version\":1,\"tenants\":[1],\"mounts\":{\"path\":[]}}", "path"},
        {"{\"version\":1,\"tenants\":[1],\"mounts\":{\"paths\":[\"srv\"]}}", "mounts.paths"},
        {"{\"version\":1,\"tenants\":[1],\"mounts\":{\"paths\":[\"/a/../b\"]}}", "mounts.paths"},
        {"{\"version\":1,\"tenants\":[1],\"quotas\":{\"pids\":-1}}", "quotas.pids"},
        {"{\"version\":1,\"tenants\":[1],\"quotas\":{\"cpus\":\"2\"}}", "quotas.cpus"},
        {"{\"version\":1,\"tenants\":[1],\"oom_score_minimum\":5000}", "oom_score_minimum"},
        {"{\"version\":1,\"tenants\":[1],\"privileged\":false,\"privileged\":true}", "duplicate"},
        {"{\"version\":1,\"tenants\":[1]} x", "t.json"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        cr_assert_eq(parse(rows[i].text), -1, "%s", rows[i].text);
        cr_assert_eq(error.code, BH_INVALID_ARGUMENT);
        cr_assert(strstr(error.message, "policy.d/t.json") && strstr(error.message, rows[i].named), "%s: %s",
                  rows[i].text, error.message);
    }
}

Test(rules, the_most_particular_file_counts)
{
    struct rules files[2];
    cr_assert_eq(parse("{\"version\":1,\"tenants\":[\"others\"],\"networks\":[]}"), 0);
    files[0] = rules;
    cr_assert_eq(parse("{\"version\":1,\"tenants\":[1000]}"), 0);
    files[1] = rules;
    const struct rule_book book = {.n_files = 2, .files = files};
    cr_assert_eq(rule_book_find(&book, 1000), &files[1]);
    cr_assert_eq(rule_book_find(&book, 1001), &files[0]);
    cr_assert_eq(rule_book_find(&book, 0), rules_builtin(true));
    const struct rule_book empty = {0};
    cr_assert_eq(rule_book_find(&empty, 5), rules_builtin(false));
}

static void put(int folder, const char *name, const char *text, mode_t mode)
{
    bh_autoclose int fd = openat(folder, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    cr_assert_geq(fd, 0);
    cr_assert_eq(fchmod(fd, mode), 0);
    cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

Test(rules, folders)
{
    char path[] = "/tmp/bh-rules-XXXXXX";
    cr_assert(mkdtemp(path));
    bh_autoclose int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct rule_book book = {0};
    cr_assert_eq(rules_load(folder, &book, &error), 0, "%s", error.message);
    cr_assert_eq(book.n_files, 0);
    rule_book_free(&book);
    put(folder, "b.json", "{\"version\":1,\"tenants\":[2]}", 0644);
    put(folder, "a.json", "{\"version\":1,\"tenants\":[1]}", 0600);
    put(folder, "notes.txt", "not read", 0644);
    cr_assert_eq(rules_load(folder, &book, &error), 0, "%s", error.message);
    cr_assert_eq(book.n_files, 2);
    cr_assert_str_eq(book.files[0].file, "a.json");
    rule_book_free(&book);
    put(folder, "c.json", "{\"version\":1,\"tenants\":[1]}", 0644);
    cr_assert_eq(rules_load(folder, &book, &error), -1, "two files about one tenant");
    cr_assert(strstr(error.message, "a.json") && strstr(error.message, "c.json"), "%s", error.message);
    put(folder, "c.json", "{\"version\":1,\"tenants\":[3]}", 0666);
    cr_assert_eq(rules_load(folder, &book, &error), -1, "others can write it");
    cr_assert_eq(error.code, BH_PERMISSION_DENIED);
    cr_assert_eq(unlinkat(folder, "c.json", 0), 0);
    cr_assert_eq(symlinkat("a.json", folder, "c.json"), 0);
    cr_assert_eq(rules_load(folder, &book, &error), -1, "a symbolic link");
    const char *names[] = {"a.json", "b.json", "c.json", "notes.txt"};
    for (size_t i = 0; i < 4; i++) {
        (void)unlinkat(folder, names[i], 0);
    }
    (void)rmdir(path);
}

Test(rules, a_name_that_is_too_long_is_refused)
{
    char path[] = "/tmp/bh-rules-XXXXXX", name[RULES_NAME_SIZE + 8];
    (void)snprintf(name, sizeof(name), "%0*d.json", RULES_NAME_SIZE, 0);
    cr_assert(mkdtemp(path));
    bh_autoclose int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct rule_book book = {0};
    put(folder, name, "{\"version\":1,\"tenants\":[1]}", 0644);
    cr_expect_eq(rules_load(folder, &book, &error), -1);
    cr_expect_eq(error.code, BH_INVALID_ARGUMENT);
    cr_expect(strstr(error.message, name), "%s", error.message);
    (void)unlinkat(folder, name, 0);
    (void)rmdir(path);
}

Test(rules, devices_lie_below_dev)
{
    static const char *const wrong[] = {"/etc/passwd", "/dev", "fuse", "/dev/fuse:", "/dev/fuse:x"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        char text[128];
        (void)snprintf(text, sizeof(text), "{\"version\":1,\"tenants\":[1000],\"devices\":[\"%s\"]}", wrong[i]);
        cr_expect_eq(parse(text), -1, "%s", wrong[i]);
        cr_expect(strstr(error.message, "devices"), "%s", error.message);
    }
}
