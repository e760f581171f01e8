/* SPDX-License-Identifier: Apache-2.0
 *
 * bulkhead privileges: the live table of the engine's processes, as the kernel tells it in /proc: who runs as whom,
 * with which capabilities, in which sandbox, and whom it can talk to.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "fields.h"
#include "human.h"
#include "table.h"

#define COLUMNS                                                                                                        \
    "{{.Process}}\t{{.PID}}\t{{.UID}}\t{{.Capabilities}}\t{{.Seccomp}}\t{{.NoNewPrivs}}\t{{.Namespaces}}\t{{.Root}}"   \
    "\t{{.Descriptors}}\t{{.Memory}}\t{{.Restarts}}\t{{.Peers}}"

struct privileges_options {
    const char *format;
};

/* capabilities(7), by number. */
static const char *const capability_names[] = {
    "chown",
    "dac_override",
    "dac_read_search",
    "fowner",
    "fsetid",
    "kill",
    "setgid",
    "setuid",
    "setpcap",
    "linux_immutable",
    "net_bind_service",
    "net_broadcast",
    "net_admin",
    "net_raw",
    "ipc_lock",
    "ipc_owner",
    "sys_module",
    "sys_rawio",
    "sys_chroot",
    "sys_ptrace",
    "sys_pacct",
    "sys_admin",
    "sys_boot",
    "sys_nice",
    "sys_resource",
    "sys_time",
    "sys_tty_config",
    "mknod",
    "lease",
    "audit_write",
    "audit_control",
    "setfcap",
    "mac_override",
    "mac_admin",
    "syslog",
    "wake_alarm",
    "block_suspend",
    "audit_read",
    "perfmon",
    "bpf",
    "checkpoint_restore",
};
#define CAPABILITIES (sizeof(capability_names) / sizeof(*capability_names))

/* "none", "all", or names with commas between. */
static json_t *capabilities_field(uint64_t mask)
{
    const uint64_t all = (UINT64_C(1) << CAPABILITIES) - 1;
    char names[1024] = "";
    if ((mask & all) == 0 || (mask & all) == all) {
        return json_string(mask & all ? "all" : "none");
    }
    for (size_t i = 0; i < CAPABILITIES; i++) {
        if (mask & (UINT64_C(1) << i)) {
            size_t used = strlen(names);
            (void)snprintf(names + used, sizeof(names) - used, "%s%s", used ? "," : "", capability_names[i]);
        }
    }
    return json_string(names);
}

/* api exists once per tenant: "api(1000)". */
static json_t *process_field(const json_t *privilege)
{
    const char *role = field_text(privilege, "role");
    return strcmp(role, "api") == 0 ? json_sprintf("api(%lld)", (long long)field_integer(privilege, "tenant_uid"))
                                    : json_string(role);
}

static json_t *text_or_dash(const char *text)
{
    return json_string(*text ? text : "-");
}

static json_t *row_of(const json_t *privilege)
{
    char memory[HUMAN_BYTES];
    json_int_t seccomp = field_integer(privilege, "seccomp");
    (void)human_size((uint64_t)field_integer(privilege, "pss_bytes"), memory);
    return json_pack(
        "{s:o*, s:o*, s:o*, s:o*, s:o*, s:s, s:o*, s:o*, s:o*, s:s, s:o*, s:o*}", "Process", process_field(privilege),
        "PID", json_integer(field_integer(privilege, "pid")), "UID", json_integer(field_integer(privilege, "uid")),
        "Capabilities", capabilities_field(strtoull(field_text(privilege, "capabilities.permitted"), NULL, 16)),
        "Seccomp",
        seccomp == 2   ? json_sprintf("filter:%lld", (long long)field_integer(privilege, "seccomp_filters"))
        : seccomp == 1 ? json_string("strict")
                       : json_string("none"),
        "NoNewPrivs", field_truth(privilege, "no_new_privs") ? "yes" : "no", "Namespaces",
        text_or_dash(field_text(privilege, "namespaces")), "Root", text_or_dash(field_text(privilege, "root")),
        "Descriptors", json_integer(field_integer(privilege, "descriptors")), "Memory", memory, "Restarts",
        json_integer(field_integer(privilege, "restarts")), "Peers", text_or_dash(field_text(privilege, "peers")));
}

static int run(struct cli *cli, const void *values, const struct strings *arguments, struct bh_error *error)
{
    (void)arguments;
    const struct privileges_options *options = values;
    json_auto json_t *privileges = NULL, *rows = json_array();
    if (engine_ask(cli->engine, "GET", "/bulkhead/privileges", NULL, &privileges, error) < 0) {
        return -1;
    }
    if (options->format && strcmp(options->format, "json") == 0) {
        return table_print_object("json", privileges, stdout, error);
    }
    for (size_t i = 0; i < json_array_size(privileges); i++) {
        if (field_append(rows, row_of(json_array_get(privileges, i)), error) < 0) {
            return -1;
        }
    }
    json_auto json_t *headings =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "Process", "PROCESS", "PID", "PID",
                  "UID", "UID", "Capabilities", "CAPABILITIES", "Seccomp", "SECCOMP", "NoNewPrivs", "NO NEW PRIVS",
                  "Namespaces", "OWN NAMESPACES", "Root", "ROOT", "Descriptors", "FDS", "Memory", "PSS", "Restarts",
                  "RESTARTS", "Peers", "TALKS TO");
    const struct table table = {.format = options->format, .columns = COLUMNS, .headings = headings};
    return table_print(&table, rows, stdout, error);
}

static const struct option options_table[] = {
    {OPTION_TEXT, "format", 'f', offsetof(struct privileges_options, format), "string",
     "table, json, or a Go template"},
    {0},
};

const struct command privileges_command = {
    .name = "privileges",
    .usage = "[OPTIONS]",
    .summary = "Show what each of the engine's processes may do, as the kernel sees it",
    .options = options_table,
    .values_bytes = sizeof(struct privileges_options),
    .run = run,
};
