/* SPDX-License-Identifier: Apache-2.0
 *
 * See copy.h. The bytes go from api's pipe to the copier and back; this process hands the ends over.
 */
#include "services/engine/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "common/limits.h"
#include "services/engine/compression.h"
#include "services/engine/copier.h"
#include "services/engine/events.h"
#include "services/engine/streams.h"

#define ANSWER(name) BULKHEAD__COPIER_TO_ENGINE__BODY_##name

/* What is not there is named as the client named it, and in Docker's words. */
static int word_failure(const char *reference, const char *path, struct bh_error *error)
{
    return error->code == BH_NOT_FOUND && error->sys_errno == ENOENT
               ? bh_error_set(error, BH_NOT_FOUND, "Could not find the file %s in container %s", path, reference)
               : -1;
}

static void pass_stat(struct job *job, struct bh_message *message, bool more)
{
    Bulkhead__EngineToApi packet = BULKHEAD__ENGINE_TO_API__INIT;
    packet.body_case = BULKHEAD__ENGINE_TO_API__BODY_PATH_STAT;
    packet.path_stat = (Bulkhead__PathStat *)(uintptr_t)bh_message_body(message);
    (void)(more ? job_more(job, &packet) : job_reply(job, &packet));
}

int stat_path(struct job *job, struct bh_error *error)
{
    const Bulkhead__StatPath *question = job_body(job);
    copying_auto struct copying copying = {0};
    bh_automessage struct bh_message *message = NULL;
    Bulkhead__LookAtPath body = BULKHEAD__LOOK_AT_PATH__INIT;
    body.path = question->path;
    COPIER_PACKET(packet, LOOK_AT_PATH, look_at_path, &body);
    if (copying_begin(job, question->reference, BULKHEAD__COPIER_VIEW__COPIER_VIEW_READ, &copying, error) < 0) {
        return -1;
    }
    if (copier_ask(job, copying.copier, &packet, NULL, 0, ANSWER(PATH_STAT), &message, error) < 0) {
        return word_failure(question->reference, question->path, error);
    }
    pass_stat(job, message, false);
    return 0;
}

/* Passes on what the copier says until it is done. */
static int follow(struct job *job, struct bh_channel *copier, Bulkhead__EngineToCopier *packet, const int *fds,
                  size_t n_fds, void (*pass)(struct job *job, struct bh_message *message), uint32_t kind,
                  struct bh_error *error)
{
    job_call_auto struct job_call call = {0};
    if (job_call_start(job, copier, &packet->base, fds, n_fds, BH_DEADLINE_JOB_MS, &call, error) < 0) {
        return -1;
    }
    for (;;) {
        bh_automessage struct bh_message *message = NULL;
        if (job_call_next(&call, &message, error) < 0) {
            return error->code == BH_UNAVAILABLE ? bh_error_set(error, BH_INTERNAL, "the copier has died") : -1;
        }
        if (message->kind == ANSWER(DONE) && !message->more) {
            return 0;
        }
        if (message->kind != kind || !message->more) {
            return bh_error_set(error, BH_INTERNAL, "a copier answered with message %u", message->kind);
        }
        pass(job, message);
    }
}

static void pass_more_stat(struct job *job, struct bh_message *message)
{
    pass_stat(job, message, true);
}

int read_archive(struct job *job, struct bh_error *error)
{
    const Bulkhead__ReadArchive *question = job_body(job);
    copying_auto struct copying copying = {0};
    bh_autoclose int pipe = bh_request_take_fd(job->request, 0);
    Bulkhead__CopyOut body = BULKHEAD__COPY_OUT__INIT;
    body.path = question->path;
    COPIER_PACKET(packet, COPY_OUT, copy_out, &body);
    if (copying_begin(job, question->reference, BULKHEAD__COPIER_VIEW__COPIER_VIEW_READ, &copying, error) < 0) {
        return -1;
    }
    /* Our end stays open until the answer: so the pipe's end means that all was said. */
    if (follow(job, copying.copier, &packet, &pipe, 1, pass_more_stat, ANSWER(PATH_STAT), error) < 0) {
        return word_failure(question->reference, question->path, error);
    }
    events_emit_container(job->engine, &copying.row, "archive-path", NULL);
    return job_reply_done(job);
}

static int make_pipe(int *ret_from, int *ret_to, struct bh_error *error)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) {
        return bh_error_errno(error, errno, "make a pipe");
    }
    *ret_from = ends[0];
    *ret_to = ends[1];
    return 0;
}

int write_archive(struct job *job, struct bh_error *error)
{
    const Bulkhead__WriteArchive *question = job_body(job);
    copying_auto struct copying copying = {0};
    bh_autoclose int pipe = bh_request_take_fd(job->request, 0), word = bh_request_take_fd(job->request, 1);
    Bulkhead__CopyIn body = BULKHEAD__COPY_IN__INIT;
    body.path = question->path;
    body.no_overwrite_dir_non_dir = question->no_overwrite_dir_non_dir;
    COPIER_PACKET(packet, COPY_IN, copy_in, &body);
    if (copying_begin(job, question->reference, BULKHEAD__COPIER_VIEW__COPIER_VIEW_WRITE, &copying, error) < 0) {
        return -1;
    }
    if (question->copy_uid_gid && copying.row.spec->process) {
        body.user = copying.row.spec->process->user;
    }
    job_call_auto struct job_call call = {0};
    bh_automessage struct bh_message *message = NULL;
    bh_autoclose int plain = question->compressed ? -1 : bh_steal_fd(&pipe), into = -1;
    if ((question->compressed && make_pipe(&plain, &into, error) < 0) ||
        job_call_start(job, copying.copier, &packet.base, &plain, 1, BH_DEADLINE_JOB_MS, &call, error) < 0) {
        return -1;
    }
    bh_close(&plain); /* the client is to notice when the copier stops reading */
    if (question->compressed && decompress_into(job, pipe, &into, BH_LAYER_BYTES_MAX, error) < 0) {
        struct bh_error reason = {0}; /* if the copier gave up first, its reason is the better one */
        bh_close(&into);
        if (error->sys_errno == EPIPE && job_call_next(&call, &message, &reason) < 0) {
            *error = reason;
        }
        return word_failure(question->reference, question->path, error);
    }
    if (job_call_next(&call, &message, error) < 0) {
        return word_failure(question->reference, question->path, error);
    }
    if (message->kind != ANSWER(DONE)) {
        return bh_error_set(error, BH_INTERNAL, "a copier answered with message %u", message->kind);
    }
    if (stream_check_whole(job, word, error) < 0) {
        return -1;
    }
    events_emit_container(job->engine, &copying.row, "extract-to-dir", NULL);
    return job_reply_done(job);
}

int export_container(struct job *job, struct bh_error *error)
{
    const Bulkhead__ExportContainer *question = job_body(job);
    copying_auto struct copying copying = {0};
    bh_autoclose int pipe = bh_request_take_fd(job->request, 0);
    Bulkhead__CopyRoot body = BULKHEAD__COPY_ROOT__INIT;
    COPIER_PACKET(packet, COPY_ROOT, copy_root, &body);
    if (copying_begin(job, question->reference, BULKHEAD__COPIER_VIEW__COPIER_VIEW_BARE, &copying, error) < 0 ||
        copier_ask(job, copying.copier, &packet, &pipe, 1, ANSWER(DONE), NULL, error) < 0) {
        return -1;
    }
    events_emit_container(job->engine, &copying.row, "export", NULL);
    return job_reply_done(job);
}

static void pass_changes(struct job *job, struct bh_message *message)
{
    Bulkhead__EngineToApi packet = BULKHEAD__ENGINE_TO_API__INIT;
    packet.body_case = BULKHEAD__ENGINE_TO_API__BODY_FILE_CHANGES;
    packet.file_changes = (Bulkhead__FileChanges *)(uintptr_t)bh_message_body(message);
    (void)job_more(job, &packet);
}

int list_changes(struct job *job, struct bh_error *error)
{
    const Bulkhead__ListChanges *question = job_body(job);
    copying_auto struct copying copying = {0};
    Bulkhead__FindChanges body = BULKHEAD__FIND_CHANGES__INIT;
    COPIER_PACKET(packet, FIND_CHANGES, find_changes, &body);
    if (copying_begin(job, question->reference, BULKHEAD__COPIER_VIEW__COPIER_VIEW_UPPER, &copying, error) < 0 ||
        follow(job, copying.copier, &packet, NULL, 0, pass_changes, ANSWER(FILE_CHANGES), error) < 0) {
        return -1;
    }
    return job_reply_done(job);
}
