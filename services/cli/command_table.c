/* SPDX-License-Identifier: Apache-2.0
 *
 * Every command, by what it is about. The order is that of `bulkhead --help`.
 */
#include "command_table.h"

#include <stdio.h>
#include <string.h>

#include "commands.h"

static const struct command *const container_commands[] = {&run_command,
                                                           &exec_command,
                                                           &cp_command,
                                                           &create_command,
                                                           &start_command,
                                                           &stop_command,
                                                           &restart_command,
                                                           &kill_command,
                                                           &pause_command,
                                                           &unpause_command,
                                                           &wait_command,
                                                           &ps_command,
                                                           &inspect_command,
                                                           &logs_command,
                                                           &attach_command,
                                                           &top_command,
                                                           &stats_command,
                                                           &port_command,
                                                           &update_command,
                                                           &rename_command,
                                                           &rm_command,
                                                           &diff_command,
                                                           &commit_command,
                                                           &export_command,
                                                           &container_inspect_command,
                                                           &container_prune_command,
                                                           NULL};

static const struct command *const image_commands[] = {
    &images_command, &pull_command,   &push_command,          &load_command,        &save_command,
    &import_command, &tag_command,    &rmi_command,           &history_command,     &search_command,
    &login_command,  &logout_command, &image_inspect_command, &image_prune_command, NULL};

static const struct command *const volume_commands[] = {&volume_create_command,  &volume_ls_command,
                                                        &volume_inspect_command, &volume_rm_command,
                                                        &volume_prune_command,   NULL};

static const struct command *const network_commands[] = {
    &network_create_command,  &network_ls_command,         &network_inspect_command,
    &network_connect_command, &network_disconnect_command, &network_rm_command,
    &network_prune_command,   &network_reload_command,     NULL};

static const struct command *const system_commands[] = {
    &info_command,         &events_command,     &version_command,      &system_df_command,
    &system_prune_command, &privileges_command, &audit_verify_command, &doctor_command,
    &completion_command,   &complete_command,   &dial_stdio_command,   NULL};

const struct command_section command_sections[] = {
    {"Containers", container_commands}, {"Images", image_commands},      {"Volumes", volume_commands},
    {"Networks", network_commands},     {"The engine", system_commands}, {0},
};

const struct command_group command_groups[] = {
    {"container", "Manage containers"},
    {"image", "Manage images"},
    {"volume", "Manage volumes"},
    {"network", "Manage networks"},
    {"system", "Manage the engine"},
    {"audit", "The record of what was allowed and refused"},
    {0},
};

const struct option global_options[] = {
    {OPTION_TEXT, "config", 0, offsetof(struct global_values, config), "string",
     "Folder of the client's configuration, with the registries' credentials (default ~/.docker)"},
    {OPTION_TEXT, "host", 'H', offsetof(struct global_values, host), "string",
     "The engine's socket (default unix:///run/bulkhead/bulkhead.sock), or ssh://[user@]host[:port]"},
    {OPTION_FLAG, "version", 'v', offsetof(struct global_values, version), NULL, "Print the version and quit"},
    {0},
};

/* The name or alias that is `name`, or (with `group`) the verb behind "GROUP ", with its length; NULL if none is. */
static const char *match(const struct command *command, const char *group, const char *name, size_t *ret_length)
{
    const char *const lists[] = {command->name, command->aliases};
    size_t n_group = group ? strlen(group) : 0;
    for (size_t i = 0; i < 2; i++) {
        for (const char *at = lists[i]; at && *at;) {
            size_t length = strcspn(at, ",");
            if (name && strlen(name) == length && strncmp(at, name, length) == 0) {
                *ret_length = length;
                return at;
            }
            if (group && length > n_group && strncmp(at, group, n_group) == 0 && at[n_group] == ' ') {
                *ret_length = length - n_group - 1;
                return at + n_group + 1;
            }
            at += length;
            at += strspn(at, ", ");
        }
    }
    return NULL;
}

const struct command *command_find(const char *name)
{
    size_t length = 0;
    for (const struct command_section *section = command_sections; section->title; section++) {
        for (size_t i = 0; section->commands[i]; i++) {
            if (match(section->commands[i], NULL, name, &length)) {
                return section->commands[i];
            }
        }
    }
    return NULL;
}

const char *command_verb_in(const struct command *command, const char *group, size_t *ret_length)
{
    return match(command, group, NULL, ret_length);
}

const struct command *command_find_words(const struct strings *words, size_t *ret_used)
{
    char two[128];
    *ret_used = 1;
    const struct command *command = command_find(words->items[0]);
    if (command || words->count < 2) {
        return command;
    }
    *ret_used = 2;
    (void)snprintf(two, sizeof(two), "%s %s", words->items[0], words->items[1]);
    return command_find(two);
}

const struct command_group *command_group_find(const char *name)
{
    for (const struct command_group *group = command_groups; group->name; group++) {
        if (strcmp(group->name, name) == 0) {
            return group;
        }
    }
    return NULL;
}
