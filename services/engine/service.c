/* SPDX-License-Identifier: Apache-2.0
 *
 * The engine as a service: its peers, the dispatch table of api's requests, and the order in which its parts come up. A
 * handler finds out who speaks (a property of the channel) and gives the request to a job; the job's function is the
 * feature.
 */
#include "services/engine/service.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>

#include "api_engine.pb-c.h"
#include "common/log.h"
#include "services/engine/adopt.h"
#include "services/engine/attach.h"
#include "services/engine/change.h"
#include "services/engine/channels.h"
#include "services/engine/containers.h"
#include "services/engine/commit.h"
#include "services/engine/content.h"
#include "services/engine/copy.h"
#include "services/engine/database.h"
#include "services/engine/distribution.h"
#include "services/engine/events.h"
#include "services/engine/execs.h"
#include "services/engine/garbage.h"
#include "services/engine/health.h"
#include "services/engine/images.h"
#include "services/engine/import.h"
#include "services/engine/info.h"
#include "services/engine/inspect.h"
#include "services/engine/lifecycle.h"
#include "services/engine/live.h"
#include "services/engine/load.h"
#include "services/engine/logs.h"
#include "services/engine/network_connect.h"
#include "services/engine/network_watch.h"
#include "services/engine/networks.h"
#include "services/engine/privileges.h"
#include "services/engine/prune.h"
#include "services/engine/reserve.h"
#include "services/engine/samples.h"
#include "services/engine/save.h"
#include "services/engine/pull.h"
#include "services/engine/push.h"
#include "services/engine/volumes.h"
#include "services/engine/stats.h"
#include "services/engine/waiters.h"

#define DATABASE_PATH "/engine.db" /* in the engine's root, which is its own folder */

/* ---- requests of api ------------------------------------------------------------------------------ */

/* The api channels that are up, each of one tenant. Touched on the loop only. */
struct tenant {
    struct tenant *next;
    struct bh_channel *channel;
    uint32_t uid;
};
static struct tenant *tenants;

static void give_to_job(struct bh_request *request, job_run run)
{
    const struct bh_service_context *context = bh_request_owner(request);
    const struct engine *engine = context->state;
    struct bh_error error;
    for (const struct tenant *tenant = tenants; tenant; tenant = tenant->next) {
        if (tenant->channel == bh_request_channel(request)) {
            jobs_serve(engine->jobs, request, tenant->uid, run);
            return;
        }
    }
    (void)bh_error_set(&error, BH_INTERNAL, "a request from nobody's channel");
    (void)bh_request_fail(request, &error);
}

#define HANDLER(feature)                                                                                               \
    static void on_##feature(struct bh_request *request)                                                               \
    {                                                                                                                  \
        give_to_job(request, feature);                                                                                 \
    }
HANDLER(get_info)
HANDLER(check_auth)
HANDLER(get_privileges)
HANDLER(check_audit)
HANDLER(pull_image)
HANDLER(load_images)
HANDLER(push_image)
HANDLER(inspect_distribution)
HANDLER(search_registry)
HANDLER(list_images)
HANDLER(inspect_image)
HANDLER(tag_image)
HANDLER(delete_image)
HANDLER(import_image)
HANDLER(save_images)
HANDLER(prune_images)
HANDLER(create_container)
HANDLER(run_container)
HANDLER(list_containers)
HANDLER(look_up_container)
HANDLER(stop_container)
HANDLER(kill_container)
HANDLER(stat_path)
HANDLER(read_archive)
HANDLER(write_archive)
HANDLER(export_container)
HANDLER(list_changes)
HANDLER(commit_container)
HANDLER(wait_container)
HANDLER(delete_container)
HANDLER(attach_container)
HANDLER(read_logs)
HANDLER(restart_container)
HANDLER(rename_container)
HANDLER(pause_container)
HANDLER(resize_container)
HANDLER(create_exec)
HANDLER(run_exec)
HANDLER(look_up_exec)
HANDLER(resize_exec)
HANDLER(detach_container)
HANDLER(detach_exec)
HANDLER(wait_exec)
HANDLER(change_container)
HANDLER(get_stats)
HANDLER(get_processes)
HANDLER(read_events)
HANDLER(prune_containers)
HANDLER(prune_nothing)
HANDLER(create_volume)
HANDLER(list_volumes)
HANDLER(look_up_volume)
HANDLER(delete_volume)
HANDLER(prune_volumes)
HANDLER(create_network)
HANDLER(list_networks)
HANDLER(look_up_network)
HANDLER(delete_network)
HANDLER(prune_networks)
HANDLER(connect_network)
HANDLER(disconnect_network)
HANDLER(get_network_findings)
HANDLER(reload_networks)

#define REQUEST(kind, feature, fds)                                                                                    \
    {                                                                                                                  \
        BULKHEAD__API_TO_ENGINE__BODY_##kind, #feature, ~0u, fds, fds, on_##feature                                    \
    }

static const struct bh_handler api_handlers[] = {
    REQUEST(GET_INFO, get_info, 0),
    REQUEST(CHECK_AUTH, check_auth, 0),
    REQUEST(GET_PRIVILEGES, get_privileges, 0),
    REQUEST(CHECK_AUDIT, check_audit, 0),
    REQUEST(PULL_IMAGE, pull_image, 0),
    REQUEST(LOAD_IMAGES, load_images, 2), /* the archive and the word that it is whole, to read */
    REQUEST(PUSH_IMAGE, push_image, 0),
    REQUEST(INSPECT_DISTRIBUTION, inspect_distribution, 0),
    REQUEST(SEARCH_REGISTRY, search_registry, 0),
    REQUEST(LIST_IMAGES, list_images, 0),
    REQUEST(INSPECT_IMAGE, inspect_image, 0),
    REQUEST(TAG_IMAGE, tag_image, 0),
    REQUEST(DELETE_IMAGE, delete_image, 0),
    REQUEST(IMPORT_IMAGE, import_image, 2), /* the tarball and the word, to read */
    REQUEST(SAVE_IMAGES, save_images, 1),   /* the pipe to write to */
    REQUEST(PRUNE_IMAGES, prune_images, 0),
    REQUEST(CREATE_CONTAINER, create_container, 0),
    REQUEST(RUN_CONTAINER, run_container, 0),
    REQUEST(LIST_CONTAINERS_OF, list_containers, 0),
    REQUEST(LOOK_UP_CONTAINER, look_up_container, 0),
    REQUEST(STOP_CONTAINER, stop_container, 0),
    REQUEST(KILL_CONTAINER, kill_container, 0),
    REQUEST(STAT_PATH, stat_path, 0),
    REQUEST(READ_ARCHIVE, read_archive, 1),         /* the pipe the tar goes to */
    REQUEST(WRITE_ARCHIVE, write_archive, 2),       /* the pipe it comes from, and the word */
    REQUEST(EXPORT_CONTAINER, export_container, 1), /* as ReadArchive */
    REQUEST(LIST_CHANGES, list_changes, 0),
    REQUEST(COMMIT_CONTAINER, commit_container, 0),
    REQUEST(WAIT_CONTAINER, wait_container, 0),
    REQUEST(DELETE_CONTAINER, delete_container, 0),
    REQUEST(ATTACH_CONTAINER, attach_container, LIVE_STREAMS),
    REQUEST(READ_LOGS, read_logs, 0),
    REQUEST(RESTART_CONTAINER, restart_container, 0),
    REQUEST(RENAME_CONTAINER, rename_container, 0),
    REQUEST(PAUSE_CONTAINER, pause_container, 0),
    REQUEST(RESIZE_CONTAINER, resize_container, 0),
    REQUEST(CREATE_EXEC, create_exec, 0),
    {BULKHEAD__API_TO_ENGINE__BODY_RUN_EXEC, "run_exec", ~0u, 0, LIVE_STREAMS, on_run_exec}, /* none: detached */
    REQUEST(LOOK_UP_EXEC, look_up_exec, 0),
    REQUEST(RESIZE_EXEC, resize_exec, 0),
    REQUEST(DETACH_CONTAINER, detach_container, 0),
    REQUEST(DETACH_EXEC, detach_exec, 0),
    REQUEST(WAIT_EXEC, wait_exec, 0),
    REQUEST(CHANGE_CONTAINER, change_container, 0),
    REQUEST(GET_STATS, get_stats, 0),
    REQUEST(GET_PROCESSES, get_processes, 0),
    REQUEST(READ_EVENTS, read_events, 0),
    REQUEST(PRUNE_CONTAINERS, prune_containers, 0),
    REQUEST(PRUNE_NOTHING, prune_nothing, 0),
    REQUEST(CREATE_VOLUME, create_volume, 0),
    REQUEST(LIST_VOLUMES, list_volumes, 0),
    REQUEST(LOOK_UP_VOLUME, look_up_volume, 0),
    REQUEST(DELETE_VOLUME, delete_volume, 0),
    REQUEST(PRUNE_VOLUMES, prune_volumes, 0),
    REQUEST(CREATE_NETWORK, create_network, 0),
    REQUEST(LIST_NETWORKS, list_networks, 0),
    REQUEST(LOOK_UP_NETWORK, look_up_network, 0),
    REQUEST(DELETE_NETWORK, delete_network, 0),
    REQUEST(PRUNE_NETWORKS, prune_networks, 0),
    REQUEST(CONNECT_NETWORK, connect_network, 0),
    REQUEST(DISCONNECT_NETWORK, disconnect_network, 0),
    REQUEST(GET_NETWORK_FINDINGS, get_network_findings, 0),
    REQUEST(RELOAD_NETWORKS, reload_networks, 0),
    {0},
};

static const struct bh_protocol protocol_api = {
    .name = "api_engine",
    .incoming = &bulkhead__api_to_engine__descriptor,
    .outgoing = &bulkhead__engine_to_api__descriptor,
    .handlers = api_handlers,
};

/* ---- peers come and go ----------------------------------------------------------------------------- */

static int on_peer(struct bh_service_context *context, enum bh_role role, uint32_t tenant_uid,
                   struct bh_channel *channel, struct bh_error *error)
{
    (void)context;
    (void)role;
    struct tenant *tenant = calloc(1, sizeof *tenant);
    if (!tenant) {
        return bh_error_errno(error, ENOMEM, "take on tenant %u", tenant_uid);
    }
    *tenant = (struct tenant){.next = tenants, .channel = channel, .uid = tenant_uid};
    tenants = tenant;
    return 0;
}

static void on_peer_gone(struct bh_service_context *context, struct bh_channel *channel)
{
    (void)context;
    for (struct tenant **link = &tenants; *link; link = &(*link)->next) {
        struct tenant *tenant = *link;
        if (tenant->channel == channel) {
            *link = tenant->next;
            free(tenant);
            bh_channel_free(channel);
            return;
        }
    }
}

static void on_rewired(struct bh_service_context *context, enum bh_role role)
{
    struct engine *engine = context->state;
    if (role == BH_ROLE_POLICYD) {
        adoption_start(engine); /* ends that could not be looked into meanwhile */
    }
}

static void on_privileges(struct bh_service_context *context, int fd, uint64_t value)
{
    const struct engine *engine = context->state;
    privileges_answered(engine->privileges, fd, value);
}

/* ---- up and down ----------------------------------------------------------------------------------- */

static int start(struct bh_service_context *context, struct bh_error *error)
{
    struct engine *engine = calloc(1, sizeof *engine);
    if (!engine) {
        return bh_error_errno(error, ENOMEM, "start the engine");
    }
    (void)mallopt(M_ARENA_MAX, 2); /* short jobs on many threads: an arena for each would only cost memory */
    context->state = engine;
    engine->context = context;
    if (jobs_new(engine, &engine->jobs, error) < 0 || live_new(&engine->live, error) < 0 ||
        content_new(&engine->content, error) < 0 || garbage_new(&engine->garbage, error) < 0 ||
        waiters_new(&engine->waiters, error) < 0 || events_new(engine, &engine->events, error) < 0 ||
        health_new(engine, &engine->health, error) < 0 || samples_new(&engine->samples, error) < 0 ||
        networks_new(&engine->networks, error) < 0 || privileges_new(&engine->privileges, error) < 0 ||
        adoption_new(&engine->adoption, error) < 0 || database_open(DATABASE_PATH, &engine->database, error) < 0) {
        return -1;
    }
    reserve_take();
    events_begin(engine);
    adoption_start(engine);
    execs_begin(engine);
    network_watch_begin(engine);
    return 0;
}

/* Containers go on without us. Jobs come first: everything else is theirs. */
static void stop(struct bh_service_context *context)
{
    struct engine *engine = context->state;
    if (!engine) {
        return; /* it never started */
    }
    jobs_free(engine->jobs);
    engine->jobs = NULL;
    waiters_free(engine->waiters);
    events_free(engine->events);
    health_free(engine->health);
    samples_free(engine->samples);
    networks_free(engine->networks);
    database_close(engine->database);
}

static const struct bh_peer peers[] = {
    {.role = BH_ROLE_API, .protocol = &protocol_api, .many = true},
    {.role = BH_ROLE_STORE, .protocol = &protocol_store},
    {.role = BH_ROLE_FETCHER, .protocol = &protocol_fetcher},
    {.role = BH_ROLE_EXTRACTOR, .protocol = &protocol_extractor},
    {.role = BH_ROLE_POLICYD, .protocol = &protocol_policyd},
    {.role = BH_ROLE_NONE},
};

const struct bh_service engine_service = {
    .sandbox = &engine_sandbox,
    .peers = peers,
    .start = start,
    .on_peer = on_peer,
    .on_peer_gone = on_peer_gone,
    .on_rewired = on_rewired,
    .on_privileges = on_privileges,
    .stop = stop,
};
