/* SPDX-License-Identifier: Apache-2.0
 *
 * Which commands there are, and how one is chosen and run.
 */
#pragma once

#include "cli.h"

/* Runs argv's command; returns the process's exit status. */
int commands_run(int argc, char **argv);

/* Each is defined in the file named for it. */
extern const struct command attach_command, audit_verify_command, commit_command, cp_command, container_inspect_command,
    container_prune_command, create_command, dial_stdio_command, diff_command, doctor_command, exec_command,
    export_command, history_command, image_inspect_command, image_prune_command, images_command, import_command,
    info_command, inspect_command, kill_command, load_command, logs_command, network_connect_command,
    network_create_command, network_disconnect_command, network_inspect_command, network_ls_command,
    network_prune_command, network_reload_command, network_rm_command, pause_command, port_command, privileges_command,
    ps_command, pull_command, push_command, rename_command, restart_command, rm_command, rmi_command, run_command,
    save_command, search_command, start_command, stop_command, system_prune_command, tag_command, top_command,
    unpause_command, version_command, volume_create_command, volume_inspect_command, volume_ls_command,
    volume_prune_command, update_command, events_command, login_command, logout_command, stats_command,
    system_df_command, complete_command, completion_command, volume_rm_command, wait_command;
