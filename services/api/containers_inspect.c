/* SPDX-License-Identifier: Apache-2.0
 *
 * GET /containers/{id}/json: what was asked for, what it became, and what became of it. HostConfig goes round: what
 * create accepted is shown as it was.
 */
#include <stdio.h>
#include <string.h>

#include "container_json.h"
#include "engine_call.h"
#include "handlers.h"
#include "host_config_json.h"
#include "json_types.h"
#include "network_json.h"
#include "ports_json.h"
#include "mounts_json.h"

static void write_health(struct json_writer *writer, const Bulkhead__Health *health)
{
    write_object(writer, "Health");
    write_string(writer, "Status", health_status_word(health->status));
    write_uint(writer, "FailingStreak", health->failing_streak);
    write_array(writer, "Log");
    for (size_t i = 0; i < health->n_probes; i++) {
        const Bulkhead__HealthProbe *probe = health->probes[i];
        write_object(writer, NULL);
        write_time(writer, "Start", probe->started_at_ns);
        write_time(writer, "End", probe->finished_at_ns);
        write_int(writer, "ExitCode", probe->exit_code);
        write_string_n(writer, "Output", (const char *)probe->output.data, probe->output.len);
        write_object_end(writer);
    }
    write_array_end(writer);
    write_object_end(writer);
}

static void write_state(struct json_writer *writer, const Bulkhead__ContainerState *state)
{
    bool paused = state->status == BULKHEAD__CONTAINER_STATUS__CONTAINER_STATUS_PAUSED;
    write_object(writer, "State");
    write_string(writer, "Status", container_status_word(state->status));
    bool restarting = state->status == BULKHEAD__CONTAINER_STATUS__CONTAINER_STATUS_RESTARTING; /* runs, Docker says */
    write_bool(writer, "Running",
               paused || restarting || state->status == BULKHEAD__CONTAINER_STATUS__CONTAINER_STATUS_RUNNING);
    write_bool(writer, "Paused", paused);
    write_bool(writer, "Restarting", restarting);
    write_bool(writer, "OOMKilled", state->oom_killed);
    write_bool(writer, "Dead", state->status == BULKHEAD__CONTAINER_STATUS__CONTAINER_STATUS_DEAD);
    write_int(writer, "Pid", state->pid);
    write_int(writer, "ExitCode", state->exit_code);
    write_string(writer, "Error", state->error);
    write_time(writer, "StartedAt", state->started_at_ns);
    write_time(writer, "FinishedAt", state->finished_at_ns);
    if (state->health) {
        write_health(writer, state->health);
    }
    write_object_end(writer);
}

static void write_command(struct json_writer *writer, const Bulkhead__ContainerSpec *spec)
{
    const Bulkhead__Process *process = spec ? spec->process : NULL;
    size_t n_args = process ? process->n_args : 0;
    write_string(writer, "Path", n_args > 0 ? process->args[0] : "");
    write_strings(writer, "Args", n_args > 0 ? process->args + 1 : NULL, n_args > 0 ? n_args - 1 : 0, false);
}

static void write_config_streams(struct json_writer *writer, const Bulkhead__ContainerRequest *request)
{
    write_bool(writer, "AttachStdin", request->attach_stdin);
    write_bool(writer, "AttachStdout", request->attach_stdout);
    write_bool(writer, "AttachStderr", request->attach_stderr);
    if (request->n_exposed_ports > 0) {
        write_keys(writer, "ExposedPorts", request->exposed_ports, request->n_exposed_ports, false);
    }
    write_bool(writer, "Tty", request->tty);
    write_bool(writer, "OpenStdin", request->open_stdin);
    write_bool(writer, "StdinOnce", request->stdin_once);
}

/* Labels of the image, but for those the container's own replace, then the container's. */
static void write_labels(struct json_writer *writer, const Bulkhead__ImageConfig *image,
                         const Bulkhead__ContainerRequest *request)
{
    write_object(writer, "Labels");
    for (size_t i = 0; i < image->n_labels; i++) {
        bool replaced = false;
        for (size_t j = 0; j < request->n_labels && !replaced; j++) {
            replaced = strcmp(image->labels[i]->key, request->labels[j]->key) == 0;
        }
        if (!replaced) {
            write_string(writer, image->labels[i]->key, image->labels[i]->value);
        }
    }
    for (size_t i = 0; i < request->n_labels; i++) {
        write_string(writer, request->labels[i]->key, request->labels[i]->value);
    }
    write_object_end(writer);
}

/* Anonymous volumes: the client's, and the image's but for those. */
static void write_volumes(struct json_writer *writer, const Bulkhead__ContainerRequest *request,
                          const Bulkhead__ImageConfig *image)
{
    if (request->n_volumes + image->n_volumes == 0) {
        write_null(writer, "Volumes");
        return;
    }
    write_object(writer, "Volumes");
    for (size_t i = 0; i < request->n_volumes + image->n_volumes; i++) {
        bool own = i < request->n_volumes;
        const char *path = own ? request->volumes[i] : image->volumes[i - request->n_volumes];
        bool twice = false;
        for (size_t k = 0; !own && k < request->n_volumes; k++) {
            twice = twice || strcmp(path, request->volumes[k]) == 0;
        }
        if (!twice) {
            write_object(writer, path);
            write_object_end(writer);
        }
    }
    write_object_end(writer);
}

/* The client's, and of the image's what the client did not set. */
static void write_environment(struct json_writer *writer, const Bulkhead__ContainerRequest *request,
                              const Bulkhead__ImageConfig *image)
{
    write_array(writer, "Env");
    for (size_t i = 0; i < request->n_env; i++) {
        write_string(writer, NULL, request->env[i]);
    }
    for (size_t i = 0; i < image->n_env; i++) {
        size_t name = strcspn(image->env[i], "=");
        bool replaced = false;
        for (size_t j = 0; j < request->n_env && !replaced; j++) {
            replaced = strncmp(request->env[j], image->env[i], name) == 0 &&
                       (request->env[j][name] == '=' || request->env[j][name] == '\0');
        }
        if (!replaced) {
            write_string(writer, NULL, image->env[i]);
        }
    }
    write_array_end(writer);
}

/* Config as Docker shows it: the client's wish, completed from the image. */
static void write_config(struct json_writer *writer, const Bulkhead__ContainerRequest *request,
                         const Bulkhead__ContainerSpec *spec, const Bulkhead__ImageConfig *image,
                         const Bulkhead__Healthcheck *healthcheck)
{
    bool own_entrypoint = request->entrypoint_set || request->n_entrypoint > 0;
    bool own_cmd = request->n_cmd > 0 || own_entrypoint;
    write_object(writer, "Config");
    write_string(writer, "Hostname", spec->host_name);
    write_string(writer, "Domainname", request->domain_name);
    write_string(writer, "User", *request->user ? request->user : image->user);
    write_exposed_ports(writer, request, image);
    write_config_streams(writer, request);
    write_environment(writer, request, image);
    write_strings(writer, "Cmd", own_cmd ? request->cmd : image->cmd, own_cmd ? request->n_cmd : image->n_cmd, true);
    write_healthcheck(writer, healthcheck);
    write_string(writer, "Image", request->image);
    write_volumes(writer, request, image);
    write_string(writer, "WorkingDir", *request->working_dir ? request->working_dir : image->working_dir);
    write_strings(writer, "Entrypoint", own_entrypoint ? request->entrypoint : image->entrypoint,
                  own_entrypoint ? request->n_entrypoint : image->n_entrypoint, !own_entrypoint);
    if (*request->mac_address) {
        write_string(writer, "MacAddress", request->mac_address);
    }
    write_null(writer, "OnBuild");
    write_labels(writer, image, request);
    if (*request->stop_signal || *image->stop_signal) {
        write_string(writer, "StopSignal", *request->stop_signal ? request->stop_signal : image->stop_signal);
    }
    if (request->stop_timeout_s_presence_case != BULKHEAD__CONTAINER_REQUEST__STOP_TIMEOUT_S_PRESENCE__NOT_SET) {
        write_int(writer, "StopTimeout", request->stop_timeout_s == UINT32_MAX ? -1 : (int64_t)request->stop_timeout_s);
    }
    write_object_end(writer);
}

static void write_exec_ids(struct json_writer *writer, const Bulkhead__ContainerDetails *details)
{
    char id[65];
    if (details->n_exec_ids == 0) {
        write_null(writer, "ExecIDs");
        return;
    }
    write_array(writer, "ExecIDs");
    for (size_t i = 0; i < details->n_exec_ids; i++) {
        write_string(writer, NULL, id_hex(&details->exec_ids[i], id));
    }
    write_array_end(writer);
}

static void write_details(struct json_writer *writer, const Bulkhead__ContainerDetails *details, unsigned version)
{
    char id[65];
    const Bulkhead__ContainerRequest *request = details->request;
    write_object(writer, NULL);
    write_string(writer, "Id", id_hex(&details->id, id));
    write_time(writer, "Created", details->created_ns);
    write_command(writer, details->spec);
    write_state(writer, details->state);
    write_digest(writer, "Image", &details->image_id);
    /* Logs are read through the API: files on the host are no client's business. */
    static const char *const paths[] = {"ResolvConfPath", "HostnamePath", "HostsPath", "LogPath"};
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        write_string(writer, paths[i], "");
    }
    write_format(writer, "Name", "/%s", details->name);
    write_uint(writer, "RestartCount", details->restart_count);
    write_string(writer, "Driver", "erofs+overlay");
    write_string(writer, "Platform", "linux");
    write_string(writer, "MountLabel", details->spec->selinux_mount_label);
    write_string(writer, "ProcessLabel", details->spec->selinux_label);
    write_string(writer, "AppArmorProfile", details->spec->apparmor_profile);
    write_exec_ids(writer, details);
    write_host_config(writer, request, details->name);
    write_object(writer, "GraphDriver");
    write_null(writer, "Data");
    write_string(writer, "Name", "erofs+overlay");
    write_object_end(writer);
    if (details->size) {
        write_uint(writer, "SizeRw", details->size->own_bytes);
        write_uint(writer, "SizeRootFs", details->size->own_bytes + details->size->image_bytes);
    }
    write_mount_points(writer, details->mount_points, details->n_mount_points);
    write_config(writer, request, details->spec, details->image_config, details->healthcheck);
    write_network_settings(writer, details, version);
    write_object_end(writer);
}

int handle_container_inspect(struct request *request, struct bh_error *error)
{
    bh_automessage struct bh_message *answer = NULL;
    auto_json_writer writer = {0};
    Bulkhead__LookUpContainer question = BULKHEAD__LOOK_UP_CONTAINER__INIT;
    if (request_container_name(request, error) < 0) {
        return -1;
    }
    question.reference = request->name;
    question.size = http_parameter_bool(&request->target, "size", false);
    ENGINE_PACKET(packet, LOOK_UP_CONTAINER, look_up_container, &question);
    if (engine_ask(request, &packet, question.size ? BH_DEADLINE_JOB_MS : 0,
                   BULKHEAD__ENGINE_TO_API__BODY_CONTAINER_DETAILS, &answer, error) < 0) {
        return -1;
    }
    const Bulkhead__ContainerDetails *details = bh_message_body(answer);
    if (!details->state || !details->request || !details->spec || !details->image_config) {
        return bh_error_set(error, BH_INTERNAL, "the engine answered half a container");
    }
    write_details(&writer, details, request->version);
    return request_answer_json(request, 200, &writer, error);
}
