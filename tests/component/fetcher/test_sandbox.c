/* SPDX-License-Identifier: Apache-2.0
 *
 * What a fetcher's worker is while it holds a connection to a registry, as the kernel tells: no capability, two
 * filters, a network namespace without interfaces, an empty root with the certificates. (What its filter refuses is
 * tried in component-sandbox.)
 */
#include <criterion/criterion.h>
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "stage.h"

static struct stage stage;
static struct server server;

static void setup(void)
{
    stage_make_root(&stage);
    stage_add_manifest(&stage, "test", "latest", "{}");
    stage_start(&stage, NULL);
    server_start(&server, stage.root, NULL);
    struct bh_error error;
    cr_assert_eq(stage_open(&stage, server.address, "test", NULL, &error), 0, "%s", error.message);
    autofetched struct fetched fetched = stage_manifest(&stage, "latest", NULL);
    cr_assert_eq(fetched.result, 0, "%s", fetched.text);
}

static void teardown(void)
{
    stage_stop(&stage);
    server_stop(&server);
}

TestSuite(sandbox, .init = setup, .fini = teardown, .timeout = 60);

/* The value of one line of /proc/<pid>/status. */
static void status_of(pid_t pid, const char *name, char *value, size_t value_size)
{
    char path[64], line[256];
    value[0] = '\0';
    (void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    bh_autofclose FILE *file = fopen(path, "re");
    cr_assert_not_null(file);
    while (fgets(line, sizeof(line), file)) {
        if (strncmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ':') {
            const char *text = line + strlen(name) + 1;
            text += strspn(text, " \t");
            (void)snprintf(value, value_size, "%.*s", (int)strcspn(text, "\n"), text);
        }
    }
}

static void expect_status(const char *name, const char *expected)
{
    char value[128];
    status_of(stage.worker, name, value, sizeof(value));
    cr_expect_str_eq(value, expected, "%s is \"%s\"", name, value);
}

Test(sandbox, no_privilege)
{
    char value[128];
    expect_status("CapEff", "0000000000000000");
    expect_status("CapPrm", "0000000000000000");
    expect_status("CapBnd", "0000000000000000");
    expect_status("CapInh", "0000000000000000");
    expect_status("CapAmb", "0000000000000000");
    expect_status("NoNewPrivs", "1");
    expect_status("Seccomp", "2");
    status_of(stage.worker, "Seccomp_filters", value, sizeof(value));
    cr_expect_geq(atoi(value), 2, "its own filter on top of the fetcher's");
    status_of(stage.worker, "Uid", value, sizeof(value));
    cr_expect_neq(value[0], '0', "%s", value);
}

Test(sandbox, no_network_of_its_own)
{
    char path[64], line[256];
    int lines = 0;
    (void)snprintf(path, sizeof(path), "/proc/%d/net/dev", (int)stage.worker);
    bh_autofclose FILE *file = fopen(path, "re");
    cr_assert_not_null(file);
    while (fgets(line, sizeof(line), file)) {
        lines += strchr(line, ':') != NULL && !strstr(line, " lo:");
    }
    cr_expect_eq(lines, 0, "no interface but an unconfigured lo");
}

Test(sandbox, an_empty_root_with_certificates)
{
    char path[64];
    int n = 0;
    (void)snprintf(path, sizeof(path), "/proc/%d/root", (int)stage.worker);
    bh_autoclosedir DIR *root = opendir(path);
    cr_assert_not_null(root);
    for (const struct dirent *entry; (entry = readdir(root));) {
        if (entry->d_name[0] != '.') {
            n++;
            cr_expect(strcmp(entry->d_name, "etc") == 0 || strcmp(entry->d_name, "certs.d") == 0, "%s", entry->d_name);
        }
    }
    cr_expect_geq(n, 1);
}

Test(sandbox, a_killed_worker_harms_nobody)
{
    struct bh_error error;
    const struct bh_digest digest = {{1}};
    uint64_t size;
    cr_assert_eq(kill(stage.worker, SIGKILL), 0);
    cr_expect_eq(stage_check(&stage, &digest, &size, &error), -1);
    cr_expect_eq(error.code, BH_UNAVAILABLE, "%s", error.message);
    cr_assert_eq(stage_open(&stage, server.address, "test", NULL, &error), 0, "%s", error.message);
    autofetched struct fetched fetched = stage_manifest(&stage, "latest", NULL);
    cr_expect_eq(fetched.result, 0, "%s", fetched.text);
}
