/* SPDX-License-Identifier: Apache-2.0
 *
 * Every handler the route table names, one per operation; each lives in the file of its family.
 */
#pragma once

#include "request.h"

/* system.c */
int handle_ping(struct request *request, struct bh_error *error);
int handle_version(struct request *request, struct bh_error *error);
int handle_info(struct request *request, struct bh_error *error);
int handle_auth(struct request *request, struct bh_error *error);
int handle_privileges(struct request *request, struct bh_error *error);
int handle_audit_verify(struct request *request, struct bh_error *error);

/* events.c */
int handle_events(struct request *request, struct bh_error *error);

/* disk_usage.c */
int handle_disk_usage(struct request *request, struct bh_error *error);

/* prune.c */
int handle_containers_prune(struct request *request, struct bh_error *error);
int handle_build_prune(struct request *request, struct bh_error *error);
int handle_plugins_list(struct request *request, struct bh_error *error);
int handle_plugin(struct request *request, struct bh_error *error); /* whatever is asked of one */

/* networks.c, network_create.c */
int handle_networks_list(struct request *request, struct bh_error *error);
int handle_network_inspect(struct request *request, struct bh_error *error);
int handle_network_create(struct request *request, struct bh_error *error);
int handle_network_delete(struct request *request, struct bh_error *error);
int handle_network_connect(struct request *request, struct bh_error *error);
int handle_network_disconnect(struct request *request, struct bh_error *error);
int handle_networks_prune(struct request *request, struct bh_error *error);
int handle_networks_check(struct request *request, struct bh_error *error);
int handle_networks_reload(struct request *request, struct bh_error *error);

/* images.c */
int handle_images_list(struct request *request, struct bh_error *error);
int handle_image_inspect(struct request *request, struct bh_error *error);
int handle_image_history(struct request *request, struct bh_error *error);
int handle_image_tag(struct request *request, struct bh_error *error);
int handle_image_delete(struct request *request, struct bh_error *error);
int handle_images_prune(struct request *request, struct bh_error *error);

/* distribution.c */
int handle_distribution(struct request *request, struct bh_error *error);
int handle_images_search(struct request *request, struct bh_error *error);

/* pull.c, push.c, load.c, save.c */
int handle_image_push(struct request *request, struct bh_error *error);
int handle_image_create(struct request *request, struct bh_error *error);
int handle_images_load(struct request *request, struct bh_error *error);
int handle_image_get(struct request *request, struct bh_error *error);
int handle_images_get(struct request *request, struct bh_error *error);

/* containers_create.c, containers_list.c, containers_inspect.c */
int handle_container_create(struct request *request, struct bh_error *error);
int handle_containers_list(struct request *request, struct bh_error *error);
int handle_container_inspect(struct request *request, struct bh_error *error);

/* volumes.c */
int handle_volume_create(struct request *request, struct bh_error *error);
int handle_volumes_list(struct request *request, struct bh_error *error);
int handle_volume_inspect(struct request *request, struct bh_error *error);
int handle_volume_delete(struct request *request, struct bh_error *error);
int handle_volumes_prune(struct request *request, struct bh_error *error);

/* update.c, stats.c, top.c */
int handle_container_update(struct request *request, struct bh_error *error);
int handle_container_stats(struct request *request, struct bh_error *error);
int handle_container_top(struct request *request, struct bh_error *error);
/* archive.c, diff.c */
int handle_archive_stat(struct request *request, struct bh_error *error);
int handle_archive_get(struct request *request, struct bh_error *error);
int handle_archive_put(struct request *request, struct bh_error *error);
int handle_container_export(struct request *request, struct bh_error *error);
int handle_container_changes(struct request *request, struct bh_error *error);
/* commit.c */
int handle_commit(struct request *request, struct bh_error *error);

/* lifecycle.c */
int handle_container_start(struct request *request, struct bh_error *error);
int handle_container_stop(struct request *request, struct bh_error *error);
int handle_container_restart(struct request *request, struct bh_error *error);
int handle_container_kill(struct request *request, struct bh_error *error);
int handle_container_wait(struct request *request, struct bh_error *error);
int handle_container_delete(struct request *request, struct bh_error *error);
int handle_link_delete(struct request *request, struct bh_error *error);
int handle_container_rename(struct request *request, struct bh_error *error);
int handle_container_pause(struct request *request, struct bh_error *error);
int handle_container_unpause(struct request *request, struct bh_error *error);
int handle_container_resize(struct request *request, struct bh_error *error);

/* attach.c, logs.c */
int handle_container_attach(struct request *request, struct bh_error *error);
int handle_container_attach_websocket(struct request *request, struct bh_error *error);
int handle_container_logs(struct request *request, struct bh_error *error);

/* exec.c, exec_start.c */
int handle_exec_create(struct request *request, struct bh_error *error);
int handle_exec_start(struct request *request, struct bh_error *error);
int handle_exec_resize(struct request *request, struct bh_error *error);
int handle_exec_inspect(struct request *request, struct bh_error *error);
