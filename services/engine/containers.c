/* SPDX-License-Identifier: Apache-2.0
 *
 * Create, rename and delete; see containers.h. What is refused is refused at create already: policy judges the spec
 * before a row exists.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/io.h"
#include "common/log.h"
#include "services/engine/adopt.h"
#include "services/engine/attachment.h"
#include "services/engine/containers.h"
#include "services/engine/endpoint_requests.h"
#include "services/engine/events.h"
#include "services/engine/garbage.h"
#include "services/engine/health_check.h"
#include "services/engine/kernel.h"
#include "services/engine/lifecycle.h"
#include "services/engine/links.h"
#include "services/engine/merge.h"
#include "services/engine/mounts.h"
#include "services/engine/names.h"
#include "services/engine/platform.h"
#include "services/engine/policy.h"
#include "services/engine/resolve.h"
#include "services/engine/shared.h"
#include "services/engine/signals.h"
#include "common/fields.h"
#include "services/engine/volumes.h"
#include "services/engine/waiters.h"

#define INVENT_TIMES 20

bool container_runs(const struct container_state *state)
{
    return state->status == BULKHEAD__CONTAINER_STATUS__CONTAINER_STATUS_RUNNING ||
           state->status == BULKHEAD__CONTAINER_STATUS__CONTAINER_STATUS_PAUSED;
}

bool container_is_active(const struct container_state *state)
{
    return container_runs(state) || state->status == BULKHEAD__CONTAINER_STATUS__CONTAINER_STATUS_RESTARTING;
}

/* ---- create ------------------------------------------------------------------------------------- */

static int refuse_name(struct job *job, const char *name, struct bh_error *error)
{
    struct bh_digest id;
    char hex[BH_DIGEST_HEX_SIZE] = "?";
    struct bh_error ignored;
    if (database_find_container_name(job->engine->database, job->tenant_uid, name, id.bytes, &ignored) == 1) {
        (void)bh_digest_hex(&id, hex);
    }
    return bh_error_set(
        error, BH_ALREADY_EXISTS,
        "Conflict. The container name \"/%s\" is already in use by container \"%s\". You have to remove (or "
        "rename) that container to be able to reuse that name.",
        name, hex);
}

/* Says so if the image is for another processor: its program will not run, unless something emulates it. */
static int check_platform(const Bulkhead__ImageConfig *image, const Bulkhead__ContainerRequest *request,
                          char *ret_warning, size_t warning_bytes, struct bh_error *error)
{
    Bulkhead__Platform offered = BULKHEAD__PLATFORM__INIT, wanted = platform_host;
    char buffer[PLATFORM_TEXT_SIZE], has[PLATFORM_TEXT_SIZE], asked[PLATFORM_TEXT_SIZE];
    offered.os = image->os[0] ? image->os : platform_host.os;
    offered.architecture = image->architecture[0] ? image->architecture : platform_host.architecture;
    offered.variant = image->variant;
    if (request->platform[0] && platform_parse(request->platform, buffer, &wanted, error) < 0) {
        return -1;
    }
    ret_warning[0] = '\0';
    if (platform_fit(&wanted, &offered) > 0) {
        return 0;
    }
    (void)platform_format(&offered, has);
    (void)platform_format(&wanted, asked);
    if (request->platform[0]) {
        return bh_error_set(
            error, BH_NOT_FOUND,
            "image with reference %s was found but its platform (%s) does not match the specified platform (%s)",
            request->image, has, asked);
    }
    (void)snprintf(ret_warning, warning_bytes,
                   "The requested image's platform (%s) does not match the detected host platform (%s) and no specific "
                   "platform was requested",
                   has, asked);
    return 0;
}

/* What the kernel cannot do of what was asked for. */
struct kernel_warnings {
    char *texts[KERNEL_WARNINGS_MAX + 1];
    size_t n;
};

/* Everything a row needs but its name. */
static int prepare_row(struct job *job, const Bulkhead__ContainerRequest *request, struct container_row *row,
                       struct mounts_made *made, char *ret_warning, size_t warning_bytes,
                       struct kernel_warnings *kernel, struct bh_error *error)
{
    image_row_auto struct image_row image = {0};
    char name[BH_REFERENCE_BYTES_MAX + 1];
    uint32_t signal;
    ProtobufCMessage *copy = NULL;
    if (resolve_image(job->engine->database, job->tenant_uid, request->image, &row->image, name, error) < 0 ||
        database_image(job->engine->database, job->tenant_uid, &row->image, &image, error) < 0 ||
        check_platform(image.config, request, ret_warning, warning_bytes, error) < 0 ||
        (request->stop_signal[0] && signal_parse(request->stop_signal, &signal, error) < 0)) {
        return -1;
    }
    bh_autofree struct bh_digest *layers = calloc(image.n_layers ? image.n_layers : 1, sizeof *layers);
    if (!layers) {
        return bh_error_errno(error, ENOMEM, "list an image's layers");
    }
    for (size_t i = 0; i < image.n_layers; i++) {
        layers[i] = image.layers[i].digest;
    }
    if (getrandom(row->id, sizeof row->id, 0) != (ssize_t)sizeof row->id) {
        return bh_error_errno(error, errno, "make a container's id");
    }
    const struct merge_facts facts = {.id = row->id,
                                      .tenant_uid = job->tenant_uid,
                                      .layers = layers,
                                      .n_layers = image.n_layers,
                                      .image = &row->image,
                                      .image_reference = name[0]         ? name
                                                         : image.n_names ? image.names[0]
                                                                         : "",
                                      .host_name = job->engine->context->config->host_name};
    if (message_copy(&request->base, &copy, error) < 0) {
        return -1;
    }
    row->request = (Bulkhead__ContainerRequest *)copy;
    if ((row->request->resources && kernel_fit(job, row->request->resources, kernel->texts, &kernel->n, error) < 0) ||
        endpoint_requests_complete(row->request, error) < 0 || shared_pin(job, row->request, error) < 0 ||
        merge_container(image.config, row->request, &facts, &row->spec, error) < 0 ||
        merge_labels_into(image.config, row->request, error) < 0 ||
        health_check_refuse(row->request->healthcheck, row->request->labels, row->request->n_labels, error) < 0 ||
        mounts_resolve(job, image.config, row->request, row->spec, made, error) < 0) {
        return -1;
    }
    row->tenant_uid = job->tenant_uid;
    if (attachment_describe(job, row, image.config, error) < 0) {
        return -1;
    }
    row->auto_remove = request->auto_remove;
    row->created_ns = bh_wall_ns();
    row->state.status = BULKHEAD__CONTAINER_STATUS__CONTAINER_STATUS_CREATED;
    return 0;
}

/* Adds the row under the client's name, or under invented ones until one is free. */
static int add_row(struct job *job, const char *wanted, struct container_row *row, struct bh_error *error)
{
    const struct engine_event event = EVENT_OF_CONTAINER(row, "create");
    if (wanted[0]) {
        if (database_add_container(job->engine->database, row, &event, error) < 0) {
            return error->code == BH_ALREADY_EXISTS ? refuse_name(job, row->name, error) : -1;
        }
        return 0;
    }
    for (unsigned attempt = 0;; attempt++) {
        uint32_t random = 0;
        if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random) {
            return bh_error_errno(error, errno, "make up a name");
        }
        (void)name_invent(random, attempt, row->name);
        bh_error_clear(error);
        if (database_add_container(job->engine->database, row, &event, error) == 0) {
            return 0;
        }
        if (error->code != BH_ALREADY_EXISTS || attempt == INVENT_TIMES) {
            return -1;
        }
    }
}

int create_container(struct job *job, struct bh_error *error)
{
    const Bulkhead__CreateContainer *question = job_body(job);
    container_row_auto struct container_row row = {0};
    struct mounts_made made = {0};
    struct bh_digest existing;
    char warning[320];
    struct kernel_warnings kernel = {.n = 0};
    if (!question->request) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "a container needs a request");
    }
    if (adoption_wait(job, error) < 0 || (question->name[0] && name_check(question->name, row.name, error) < 0)) {
        return -1;
    }
    /* A taken name is told before anything else; that it is free is decided by the row alone. */
    int taken = row.name[0] ? database_find_container_name(job->engine->database, job->tenant_uid, row.name,
                                                           existing.bytes, error)
                            : 0;
    if (taken != 0) {
        return taken < 0 ? -1 : refuse_name(job, row.name, error);
    }
    job_shield(job); /* volumes that are made for it are either its own or gone again */
    int result = prepare_row(job, question->request, &row, &made, warning, sizeof warning, &kernel, error);
    if (result == 0) {
        result = policy_judge(job, row.spec, error);
        attachment_forget(row.spec);
    }
    if (result < 0 || mounts_fill(job, row.spec, error) < 0 || add_row(job, question->name, &row, error) < 0) {
        mounts_undo(job, &made);
        return -1;
    }
    mounts_keep(&made);
    if (warning[0]) {
        kernel.texts[kernel.n++] = warning;
    }
    Bulkhead__ContainerCreated created = BULKHEAD__CONTAINER_CREATED__INIT;
    Bulkhead__EngineToApi packet = BULKHEAD__ENGINE_TO_API__INIT;
    created.id = (ProtobufCBinaryData){.len = sizeof row.id, .data = row.id};
    created.n_warnings = kernel.n;
    created.warnings = kernel.texts;
    packet.body_case = BULKHEAD__ENGINE_TO_API__BODY_CONTAINER_CREATED;
    packet.container_created = &created;
    (void)job_reply(job, &packet);
    return 0;
}

/* ---- rename ------------------------------------------------------------------------------------- */

/* Afterwards `row` has the new name, as the event says. */
static int rename_row(struct job *job, struct container_row *row, const char *name, struct bh_error *error)
{
    char old[sizeof row->name + 1];
    (void)snprintf(old, sizeof old, "/%s", row->name);
    (void)snprintf(row->name, sizeof row->name, "%s", name);
    const struct engine_event_attribute attribute = {"oldName", old};
    struct engine_event event = EVENT_OF_CONTAINER(row, "rename");
    event.attributes = &attribute;
    event.n_attributes = 1;
    return database_rename_container(job->engine->database, row->id, name, &event, error);
}

/* Others call it by its new name from now on. */
static int tell_name(struct job *job, const struct container_row *row, struct bh_error *error)
{
    if (!container_runs(&row->state)) {
        return 0;
    }
    live_auto struct live *live = live_get(job->engine->live, row->id, error);
    if (!live || live_lock(live, job, error) < 0) {
        return -1;
    }
    live_locked lock = live;
    if (attachment_settle(job, row, error) < 0) { /* it may have ended */
        return error->code == BH_NOT_FOUND || error->code == BH_FAILED_PRECONDITION ? 0 : -1;
    }
    return 0;
}

int rename_container(struct job *job, struct bh_error *error)
{
    const Bulkhead__RenameContainer *question = job_body(job);
    container_row_auto struct container_row row = {0};
    char name[BH_NAME_BYTES_MAX + 1];
    if (adoption_wait(job, error) < 0 || resolve_container(job, question->reference, &row, error) < 0) {
        return -1;
    }
    if (name_check(question->name, name, error) < 0) {
        return bh_error_wrap(error, "Error when allocating new name");
    }
    if (strcmp(name, row.name) == 0) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "Renaming a container with the same name as its current name");
    }
    if (rename_row(job, &row, name, error) < 0) {
        if (error->code == BH_ALREADY_EXISTS) {
            (void)refuse_name(job, name, error);
            return bh_error_wrap(error, "Error when allocating new name");
        }
        return -1;
    }
    if (tell_name(job, &row, error) < 0) {
        return bh_error_wrap(error, "the container has its new name, and its networks know it by the old one");
    }
    return job_reply_done(job);
}

/* ---- delete ------------------------------------------------------------------------------------- */

int container_remove(struct job *job, const struct container_row *row, struct live *live, struct bh_error *error)
{
    struct database *database = job->engine->database;
    int streams[BH_ATTACHMENTS_MAX * LIVE_STREAMS];
    struct bh_error unmarked;
    job_shield(job);
    if (database_set_status(database, row->id, BULKHEAD__CONTAINER_STATUS__CONTAINER_STATUS_REMOVING, &unmarked) < 0) {
        bh_log_failure(BH_LOG_WARNING, &unmarked, row->name); /* a full disk: what is removed now makes room */
    }
    attachment_end(job, row);
    if (policy_remove(job, row->id, row->tenant_uid, error) < 0) {
        struct bh_error ignored;
        (void)database_set_status(database, row->id, BULKHEAD__CONTAINER_STATUS__CONTAINER_STATUS_DEAD, &ignored);
        if (error->code == BH_UNAVAILABLE || error->code == BH_DEADLINE_EXCEEDED) {
            adoption_later(job->engine); /* a helper is being started again: then it goes */
        }
        return bh_error_wrap(error, "remove container \"/%s\"", row->name);
    }
    const struct engine_event event = EVENT_OF_CONTAINER(row, "destroy");
    if (database_delete_container(database, row->id, row->auto_remove, &event, error) < 0) {
        return -1;
    }
    if (row->auto_remove) { /* --rm takes its anonymous volumes along */
        volumes_after_container(job, row);
    }
    size_t n_clients = live_take_streams(live, streams);
    for (size_t i = 0; i < n_clients * LIVE_STREAMS; i++) {
        bh_close(&streams[i]);
    }
    /* Why a start failed is told to who asked for it; to those who wait, only what was amiss with an end. */
    bool has_run = row->state.status != BULKHEAD__CONTAINER_STATUS__CONTAINER_STATUS_CREATED;
    waiters_removed(job->engine->waiters, row->id, row->state.exit_code, has_run ? row->state.error : "");
    garbage_after_container(job->engine);
    return 0;
}

int delete_container(struct job *job, struct bh_error *error)
{
    const Bulkhead__DeleteContainer *question = job_body(job);
    container_row_auto struct container_row row = {0}, now = {0};
    if (adoption_wait(job, error) < 0 || resolve_container(job, question->reference, &row, error) < 0) {
        return -1;
    }
    live_auto struct live *live = live_get(job->engine->live, row.id, error);
    if (!live || live_lock(live, job, error) < 0) {
        return -1;
    }
    live_locked lock = live;
    /* While we waited for the lock, it may have been started or removed (--rm). */
    if (database_container(job->engine->database, row.id, &now, error) < 0) {
        return error->code == BH_NOT_FOUND && question->force ? job_reply_done(job) : -1;
    }
    if (*question->link) {
        return links_remove(job, &now, question->link, error) < 0 ? -1 : job_reply_done(job);
    }
    if (container_is_active(&now.state)) {
        if (!question->force && now.state.status == BULKHEAD__CONTAINER_STATUS__CONTAINER_STATUS_PAUSED) {
            return bh_error_set(error, BH_FAILED_PRECONDITION,
                                "cannot remove container \"/%s\": container is paused and must be unpaused first",
                                now.name);
        }
        if (!question->force) {
            return bh_error_set(
                error, BH_FAILED_PRECONDITION,
                "cannot remove container \"/%s\": container is %s: stop the container before removing or "
                "force remove",
                now.name, container_runs(&now.state) ? "running" : "restarting");
        }
        if (container_runs(&now.state) && lifecycle_kill(job, &now, live, error) < 0) {
            return -1;
        }
        container_row_clear(&now);
        if (database_container(job->engine->database, row.id, &now, error) < 0) {
            return -1;
        }
    }
    if (container_remove(job, &now, live, error) < 0) {
        return -1;
    }
    if (question->volumes) {
        volumes_after_container(job, &now);
    }
    return job_reply_done(job);
}
