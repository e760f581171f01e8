/* SPDX-License-Identifier: Apache-2.0
 *
 * The route table, and the search in it. Paths come from clients, decoded once and without `.` or `..` (http_target.c).
 */
#include "route.h"

#include <stdio.h>
#include <string.h>

#include "handlers.h"

static const char not_a_manager[] =
    "This node is not a swarm manager. Use \"docker swarm init\" or \"docker swarm join\" to "
    "connect this node to swarm and try again.";

const struct route routes[] = {
    /* The system. */
    {"POST", "/auth", .handle = handle_auth},
    {"GET", "/info", .handle = handle_info},
    {"GET", "/version", .handle = handle_version},
    {"GET", "/_ping", .handle = handle_ping},
    {"HEAD", "/_ping", .handle = handle_ping},
    {"GET", "/events", .handle = handle_events},
    {"GET", "/system/df", .handle = handle_disk_usage, .since = 25},
    /* Images. */
    {"GET", "/images/json", .handle = handle_images_list},
    {"POST", "/images/create", .handle = handle_image_create},
    {"GET", "/images/{name}/json", .handle = handle_image_inspect},
    {"GET", "/images/{name}/attestations",
     .without = "attestations are not supported: an image keeps its own platform's manifest, not the index beside it"},
    {"GET", "/images/{name}/history", .handle = handle_image_history},
    {"POST", "/images/{name}/push", .handle = handle_image_push},
    {"POST", "/images/{name}/tag", .handle = handle_image_tag},
    {"DELETE", "/images/{name}", .handle = handle_image_delete},
    {"GET", "/images/search", .handle = handle_images_search},
    {"POST", "/images/prune", .handle = handle_images_prune, .since = 25},
    {"POST", "/commit", .handle = handle_commit},
    {"GET", "/images/{name}/get", .handle = handle_image_get},
    {"GET", "/images/get", .handle = handle_images_get},
    {"POST", "/images/load", .handle = handle_images_load},
    {"GET", "/distribution/{name}/json", .handle = handle_distribution, .since = 30},
    /* Containers. */
    {"GET", "/containers/json", .handle = handle_containers_list},
    {"POST", "/containers/create", .handle = handle_container_create},
    {"GET", "/containers/{id}/json", .handle = handle_container_inspect},
    {"GET", "/containers/{id}/top", .handle = handle_container_top},
    {"GET", "/containers/{id}/logs", .handle = handle_container_logs},
    {"GET", "/containers/{id}/changes", .handle = handle_container_changes},
    {"GET", "/containers/{id}/export", .handle = handle_container_export},
    {"GET", "/containers/{id}/stats", .handle = handle_container_stats},
    {"POST", "/containers/{id}/resize", .handle = handle_container_resize},
    {"POST", "/containers/{id}/start", .handle = handle_container_start},
    {"POST", "/containers/{id}/stop", .handle = handle_container_stop},
    {"POST", "/containers/{id}/restart", .handle = handle_container_restart},
    {"POST", "/containers/{id}/kill", .handle = handle_container_kill},
    {"POST", "/containers/{id}/update", .handle = handle_container_update},
    {"POST", "/containers/{id}/rename", .handle = handle_container_rename},
    {"POST", "/containers/{id}/pause", .handle = handle_container_pause},
    {"POST", "/containers/{id}/unpause", .handle = handle_container_unpause},
    {"POST", "/containers/{id}/attach", .handle = handle_container_attach},
    {"GET", "/containers/{id}/attach/ws", .handle = handle_container_attach_websocket},
    {"POST", "/containers/{id}/wait", .handle = handle_container_wait},
    {"DELETE", "/containers/{id}", .handle = handle_container_delete},
    {"DELETE", "/containers/{name}", .handle = handle_link_delete, .alone = true},
    {"HEAD", "/containers/{id}/archive", .handle = handle_archive_stat},
    {"GET", "/containers/{id}/archive", .handle = handle_archive_get},
    {"PUT", "/containers/{id}/archive", .handle = handle_archive_put},
    {"POST", "/containers/prune", .handle = handle_containers_prune, .since = 25},
    {"POST", "/containers/{id}/exec", .handle = handle_exec_create},
    /* Exec. */
    {"POST", "/exec/{id}/start", .handle = handle_exec_start},
    {"POST", "/exec/{id}/resize", .handle = handle_exec_resize},
    {"GET", "/exec/{id}/json", .handle = handle_exec_inspect},
    /* Builds. */
    {"POST", "/build", .handle = NULL},
    {"POST", "/build/prune", .handle = handle_build_prune, .since = 31},
    {"POST", "/session", .without = "build sessions are not supported", .since = 31},
    /* Volumes. */
    {"GET", "/volumes", .handle = handle_volumes_list},
    {"POST", "/volumes/create", .handle = handle_volume_create},
    {"GET", "/volumes/{id}", .handle = handle_volume_inspect},
    {"PUT", "/volumes/{id}", .without = "volume update only valid for cluster volumes, but swarm is unavailable",
     .status = 503, .since = 42},
    {"DELETE", "/volumes/{id}", .handle = handle_volume_delete},
    {"POST", "/volumes/prune", .handle = handle_volumes_prune, .since = 25},
    /* Networks. */
    {"GET", "/networks", .handle = handle_networks_list},
    {"GET", "/networks/", .handle = handle_networks_list}, /* Docker's one path with such a slash */
    {"GET", "/networks/{id}", .handle = handle_network_inspect},
    {"DELETE", "/networks/{id}", .handle = handle_network_delete},
    {"POST", "/networks/create", .handle = handle_network_create},
    {"POST", "/networks/{id}/connect", .handle = handle_network_connect},
    {"POST", "/networks/{id}/disconnect", .handle = handle_network_disconnect},
    {"POST", "/networks/prune", .handle = handle_networks_prune, .since = 25},
    /* Plugins. */
    {"GET", "/plugins", .handle = handle_plugins_list, .since = 25},
    {"GET", "/plugins/privileges", .without = "plugins are not supported", .since = 25},
    {"POST", "/plugins/pull", .without = "plugins are not supported", .since = 25},
    {"GET", "/plugins/{name}/json", .handle = handle_plugin, .since = 25},
    {"DELETE", "/plugins/{name}", .handle = handle_plugin, .since = 25},
    {"POST", "/plugins/{name}/enable", .handle = handle_plugin, .since = 25},
    {"POST", "/plugins/{name}/disable", .handle = handle_plugin, .since = 25},
    {"POST", "/plugins/{name}/upgrade", .handle = handle_plugin, .since = 25},
    {"POST", "/plugins/create", .without = "plugins are not supported", .since = 25},
    {"POST", "/plugins/{name}/push", .handle = handle_plugin, .since = 25},
    {"POST", "/plugins/{name}/set", .handle = handle_plugin, .since = 25},
    /* Swarm mode: the answer is what Docker gives outside a swarm. */
    {"GET", "/nodes", .without = not_a_manager, .status = 503},
    {"GET", "/nodes/{id}", .without = not_a_manager, .status = 503},
    {"DELETE", "/nodes/{id}", .without = not_a_manager, .status = 503},
    {"POST", "/nodes/{id}/update", .without = not_a_manager, .status = 503},
    {"GET", "/swarm", .without = not_a_manager, .status = 503},
    {"POST", "/swarm/init", .without = not_a_manager, .status = 503},
    {"POST", "/swarm/join", .without = not_a_manager, .status = 503},
    {"POST", "/swarm/leave", .without = not_a_manager, .status = 503},
    {"POST", "/swarm/update", .without = not_a_manager, .status = 503},
    {"GET", "/swarm/unlockkey", .without = not_a_manager, .status = 503},
    {"POST", "/swarm/unlock", .without = not_a_manager, .status = 503},
    {"GET", "/services", .without = not_a_manager, .status = 503},
    {"POST", "/services/create", .without = not_a_manager, .status = 503},
    {"GET", "/services/{id}", .without = not_a_manager, .status = 503},
    {"DELETE", "/services/{id}", .without = not_a_manager, .status = 503},
    {"POST", "/services/{id}/update", .without = not_a_manager, .status = 503},
    {"GET", "/services/{id}/logs", .without = not_a_manager, .status = 503},
    {"GET", "/tasks", .without = not_a_manager, .status = 503},
    {"GET", "/tasks/{id}", .without = not_a_manager, .status = 503},
    {"GET", "/tasks/{id}/logs", .without = not_a_manager, .status = 503},
    {"GET", "/secrets", .without = not_a_manager, .status = 503, .since = 25},
    {"POST", "/secrets/create", .without = not_a_manager, .status = 503, .since = 25},
    {"GET", "/secrets/{id}", .without = not_a_manager, .status = 503, .since = 25},
    {"DELETE", "/secrets/{id}", .without = not_a_manager, .status = 503, .since = 25},
    {"POST", "/secrets/{id}/update", .without = not_a_manager, .status = 503, .since = 25},
    {"GET", "/configs", .without = not_a_manager, .status = 503, .since = 30},
    {"POST", "/configs/create", .without = not_a_manager, .status = 503, .since = 30},
    {"GET", "/configs/{id}", .without = not_a_manager, .status = 503, .since = 30},
    {"DELETE", "/configs/{id}", .without = not_a_manager, .status = 503, .since = 30},
    {"POST", "/configs/{id}/update", .without = not_a_manager, .status = 503, .since = 30},
    /* Bulkhead's own. */
    {"GET", "/bulkhead/privileges", .handle = handle_privileges},
    {"GET", "/bulkhead/audit/verify", .handle = handle_audit_verify},
    {"GET", "/bulkhead/networks/check", .handle = handle_networks_check},
    {"POST", "/bulkhead/networks/reload", .handle = handle_networks_reload},
    {0},
};

/* "{id}" stands for one segment: it ends at the next '/'. */
static bool matches_segment(const char *rest, const char *path, const char **ret_name, size_t *ret_bytes)
{
    size_t length = strcspn(path, "/");
    *ret_name = path;
    *ret_bytes = length;
    return length > 0 && strcmp(path + length, rest) == 0;
}

/* "{name}" stands for one or more: an image's name has slashes. What follows the brace must end the path. */
static bool matches_name(const char *rest, const char *path, const char **ret_name, size_t *ret_bytes)
{
    size_t length = strlen(path);
    size_t tail = strlen(rest);
    *ret_name = path;
    *ret_bytes = length - tail;
    return length > tail && strcmp(path + length - tail, rest) == 0;
}

bool route_matches(const char *pattern, const char *path, const char **ret_name, size_t *ret_bytes)
{
    const char *brace = strchr(pattern, '{');
    *ret_name = "";
    *ret_bytes = 0;
    if (!brace) {
        return strcmp(pattern, path) == 0;
    }
    size_t before = (size_t)(brace - pattern);
    if (strncmp(pattern, path, before) != 0) {
        return false;
    }
    const char *rest = strchr(brace, '}') + 1;
    return brace[1] == 'i' ? matches_segment(rest, path + before, ret_name, ret_bytes)
                           : matches_name(rest, path + before, ret_name, ret_bytes);
}

static int refuse(struct request *request, const struct route *route, struct bh_error *error)
{
    if (route->status) {
        return request_answer_error(request, route->status, route->without);
    }
    if (route->without) {
        return bh_error_set(error, BH_UNIMPLEMENTED, "%s", route->without);
    }
    return bh_error_set(error, BH_UNIMPLEMENTED, "%s %s is not implemented by Bulkhead %s", route->method,
                        route->pattern, request->api->version);
}

int route_request(struct request *request, struct bh_error *error)
{
    const char *method = request->connection->head.method;
    const char *path = request->target.path;
    bool known = false;
    if (strcmp(method, "OPTIONS") == 0) {
        return request_answer_empty(request, 200); /* of any path, and it says nothing of it */
    }
    for (const struct route *route = routes; route->method; route++) {
        const char *name;
        size_t n_bytes;
        if (request->version < route->since || !route_matches(route->pattern, path, &name, &n_bytes)) {
            continue;
        }
        known = known || !route->alone;
        if (strcmp(route->method, method) != 0) {
            continue;
        }
        if (n_bytes >= sizeof(request->name)) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "the name in the path is longer than %zu characters",
                                sizeof(request->name) - 1);
        }
        snprintf(request->name, sizeof(request->name), "%.*s", (int)n_bytes, name);
        return route->handle ? route->handle(request, error) : refuse(request, route, error);
    }
    if (known) {
        return request_answer_error(request, 405, "Method Not Allowed");
    }
    return request_answer_error(request, 404, "page not found");
}
