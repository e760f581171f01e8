/* SPDX-License-Identifier: Apache-2.0
 *
 * What the engine and its host are: _ping, version, info. It comes from the engine and from what service.c asked the
 * kernel before the sandbox.
 */
#include <stdio.h>
#include <string.h>

#include "common/io.h"
#include "common/docker_time.h"
#include "engine_call.h"
#include "handlers.h"

int handle_ping(struct request *request, struct bh_error *error)
{
    (void)error;
    /* Builder-Version 1: there is no BuildKit behind this socket. */
    static const char fields[] = "Builder-Version: 1\r\n"
                                 "Cache-Control: no-cache, no-store, must-revalidate\r\n"
                                 "Pragma: no-cache\r\n"
                                 "Swarm: inactive\r\n";
    (void)connection_respond(request->connection, 200, "text/plain; charset=utf-8", fields, "OK",
                             request->connection->head_only ? 0 : 2);
    return 0;
}

static void write_engine_component(struct json_writer *writer, const struct api *api)
{
    write_object(writer, NULL);
    write_string(writer, "Name", "Engine");
    write_string(writer, "Version", api->version);
    write_object(writer, "Details");
    write_string(writer, "ApiVersion", "1.47");
    write_string(writer, "Arch", api->architecture);
    write_string(writer, "BuildTime", "");
    write_string(writer, "Experimental", "false");
    write_string(writer, "GitCommit", "");
    write_string(writer, "GoVersion", "");
    write_string(writer, "KernelVersion", api->host.release);
    write_string(writer, "MinAPIVersion", "1.24");
    write_string(writer, "Os", "linux");
    write_object_end(writer);
    write_object_end(writer);
}

int handle_version(struct request *request, struct bh_error *error)
{
    const struct api *api = request->api;
    auto_json_writer writer = {0};
    write_object(&writer, NULL);
    write_object(&writer, "Platform");
    write_format(&writer, "Name", "Bulkhead Engine %s", api->version);
    write_object_end(&writer);
    write_array(&writer, "Components");
    write_engine_component(&writer, api);
    write_array_end(&writer);
    write_string(&writer, "Version", api->version);
    write_string(&writer, "ApiVersion", "1.47");
    write_string(&writer, "MinAPIVersion", "1.24");
    write_string(&writer, "GitCommit", "");
    write_string(&writer, "GoVersion", "");
    write_string(&writer, "Os", "linux");
    write_string(&writer, "Arch", api->architecture);
    write_string(&writer, "KernelVersion", api->host.release);
    write_string(&writer, "BuildTime", "");
    write_object_end(&writer);
    return request_answer_json(request, 200, &writer, error);
}

/* Docker's form: with a slash at the end. */
static void write_mirrors(struct json_writer *writer, const Bulkhead__Info *info)
{
    write_array(writer, "Mirrors");
    for (size_t i = 0; i < info->n_registry_mirrors; i++) {
        const char *mirror = info->registry_mirrors[i];
        size_t length = strlen(mirror);
        write_format(writer, NULL, "%s%s", mirror, length > 0 && mirror[length - 1] == '/' ? "" : "/");
    }
    write_array_end(writer);
}

static void write_registries(struct json_writer *writer, const Bulkhead__Info *info)
{
    write_object(writer, "RegistryConfig");
    write_array(writer, "InsecureRegistryCIDRs");
    for (size_t i = 0; i < info->n_insecure_registries; i++) {
        if (strchr(info->insecure_registries[i], '/')) {
            write_string(writer, NULL, info->insecure_registries[i]);
        }
    }
    write_array_end(writer);
    write_object(writer, "IndexConfigs");
    write_object(writer, "docker.io");
    write_string(writer, "Name", "docker.io");
    write_mirrors(writer, info);
    write_bool(writer, "Secure", true);
    write_bool(writer, "Official", true);
    write_object_end(writer);
    for (size_t i = 0; i < info->n_insecure_registries; i++) {
        if (!strchr(info->insecure_registries[i], '/')) {
            write_object(writer, info->insecure_registries[i]);
            write_string(writer, "Name", info->insecure_registries[i]);
            write_array(writer, "Mirrors");
            write_array_end(writer);
            write_bool(writer, "Secure", false);
            write_bool(writer, "Official", false);
            write_object_end(writer);
        }
    }
    write_object_end(writer);
    write_mirrors(writer, info);
    write_object_end(writer);
}

static void write_driver(struct json_writer *writer)
{
    static const char *const status[][2] = {{"Layers", "EROFS images, shared by all tenants"},
                                            {"Stacked by", "overlayfs"}};
    write_string(writer, "Driver", "erofs+overlay");
    write_array(writer, "DriverStatus");
    for (size_t i = 0; i < sizeof(status) / sizeof(status[0]); i++) {
        write_array(writer, NULL);
        write_string(writer, NULL, status[i][0]);
        write_string(writer, NULL, status[i][1]);
        write_array_end(writer);
    }
    write_array_end(writer);
}

static void write_plugins(struct json_writer *writer)
{
    static const char *const volumes[] = {"local"};
    static const char *const networks[] = {"host", "null"};
    static const char *const logs[] = {"journald", "json-file", "local"};
    write_object(writer, "Plugins");
    write_words(writer, "Volume", volumes, sizeof(volumes) / sizeof(volumes[0]));
    write_words(writer, "Network", networks, sizeof(networks) / sizeof(networks[0]));
    write_null(writer, "Authorization");
    write_words(writer, "Log", logs, sizeof(logs) / sizeof(logs[0]));
    write_object_end(writer);
}

static void write_swarm(struct json_writer *writer)
{
    write_object(writer, "Swarm");
    write_string(writer, "NodeID", "");
    write_string(writer, "NodeAddr", "");
    write_string(writer, "LocalNodeState", "inactive");
    write_bool(writer, "ControlAvailable", false);
    write_string(writer, "Error", "");
    write_null(writer, "RemoteManagers");
    write_object_end(writer);
}

/* What the kernel cannot do is a warning, in Docker's words. */
static void write_features(struct json_writer *writer, const Bulkhead__KernelDescribed *kernel)
{
    write_bool(writer, "MemoryLimit", kernel->memory_limit);
    write_bool(writer, "SwapLimit", kernel->swap_limit);
    write_bool(writer, "CpuCfsPeriod", kernel->cpu_quota);
    write_bool(writer, "CpuCfsQuota", kernel->cpu_quota);
    write_bool(writer, "CPUShares", kernel->cpu_shares);
    write_bool(writer, "CPUSet", kernel->cpuset);
    write_bool(writer, "PidsLimit", kernel->pids_limit);
    write_bool(writer, "OomKillDisable", kernel->oom_kill_disable);
    write_bool(writer, "IPv4Forwarding", true);
    write_bool(writer, "BridgeNfIptables", false);
    write_bool(writer, "BridgeNfIp6tables", false);
}

static void write_warnings(struct json_writer *writer, const Bulkhead__KernelDescribed *kernel)
{
    const struct {
        bool works;
        const char *warning;
    } rows[] = {
        {kernel->memory_limit, "WARNING: No memory limit support"},
        {kernel->swap_limit, "WARNING: No swap limit support"},
        {kernel->cpu_quota, "WARNING: No cpu cfs quota support"},
        {kernel->cpu_quota, "WARNING: No cpu cfs period support"},
        {kernel->cpu_shares, "WARNING: No cpu shares support"},
        {kernel->cpuset, "WARNING: No cpuset support"},
    };
    write_array(writer, "Warnings");
    for (size_t i = 0; kernel->cgroup_version != 0 && i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (!rows[i].works) {
            write_string(writer, NULL, rows[i].warning);
        }
    }
    write_array_end(writer);
}

static void write_host(struct json_writer *writer, const struct api *api, const Bulkhead__Info *info)
{
    char now[DOCKER_TIME_SIZE];
    write_bool(writer, "Debug", false);
    write_string(writer, "SystemTime", docker_time(bh_wall_ns(), now));
    write_string(writer, "LoggingDriver", "json-file");
    write_string(writer, "CgroupDriver", "cgroupfs");
    if (info->kernel) {
        write_format(writer, "CgroupVersion", "%u", info->kernel->cgroup_version);
    }
    write_uint(writer, "NEventsListener", info->event_readers);
    write_string(writer, "KernelVersion", api->host.release);
    write_string(writer, "OperatingSystem", info->operating_system[0] ? info->operating_system : "Linux");
    write_string(writer, "OSVersion", info->os_version);
    write_string(writer, "OSType", "linux");
    write_string(writer, "Architecture", api->host.machine);
    write_string(writer, "IndexServerAddress", "https://index.docker.io/v1/");
    write_uint(writer, "NCPU", api->processors);
    write_uint(writer, "MemTotal", api->memory_bytes);
    write_null(writer, "GenericResources");
    write_string(writer, "DockerRootDir", info->state_path);
    write_string(writer, "HttpProxy", "");
    write_string(writer, "HttpsProxy", "");
    write_string(writer, "NoProxy", "");
    write_string(writer, "Name", info->host_name);
    write_array(writer, "Labels");
    write_array_end(writer);
    write_bool(writer, "ExperimentalBuild", false);
    write_string(writer, "ServerVersion", info->version);
}

static void write_runtime(struct json_writer *writer)
{
    static const char *const commits[] = {"ContainerdCommit", "RuncCommit", "InitCommit"};
    static const char *const security[] = {"name=seccomp,profile=builtin", "name=userns", "name=cgroupns"};
    write_object(writer, "Runtimes");
    write_object(writer, "bulkhead");
    write_string(writer, "path", "bulkhead");
    write_object_end(writer);
    write_object_end(writer);
    write_string(writer, "DefaultRuntime", "bulkhead");
    write_swarm(writer);
    write_bool(writer, "LiveRestoreEnabled", true);
    write_string(writer, "Isolation", "");
    write_string(writer, "InitBinary", "");
    for (size_t i = 0; i < sizeof(commits) / sizeof(commits[0]); i++) {
        write_object(writer, commits[i]);
        write_string(writer, "ID", "");
        write_object_end(writer);
    }
    write_array(writer, "SecurityOptions");
    for (size_t i = 0; i < sizeof(security) / sizeof(security[0]); i++) {
        write_string(writer, NULL, security[i]);
    }
    write_array_end(writer);
}

int handle_info(struct request *request, struct bh_error *error)
{
    bh_automessage struct bh_message *answer = NULL;
    auto_json_writer writer = {0};
    Bulkhead__GetInfo question = BULKHEAD__GET_INFO__INIT;
    ENGINE_PACKET(packet, GET_INFO, get_info, &question);
    if (engine_ask(request, &packet, 0, BULKHEAD__ENGINE_TO_API__BODY_INFO, &answer, error) < 0) {
        return -1;
    }
    const Bulkhead__Info *info = bh_message_body(answer);
    const Bulkhead__KernelDescribed unknown = BULKHEAD__KERNEL_DESCRIBED__INIT;
    const Bulkhead__KernelDescribed *kernel = info->kernel ? info->kernel : &unknown;
    write_object(&writer, NULL);
    write_string(&writer, "ID", info->id);
    write_uint(&writer, "Containers",
               (uint64_t)info->containers_running + info->containers_paused + info->containers_stopped);
    write_uint(&writer, "ContainersRunning", info->containers_running);
    write_uint(&writer, "ContainersPaused", info->containers_paused);
    write_uint(&writer, "ContainersStopped", info->containers_stopped);
    write_uint(&writer, "Images", info->images);
    write_driver(&writer);
    write_plugins(&writer);
    write_features(&writer, kernel);
    write_host(&writer, request->api, info);
    write_registries(&writer, info);
    write_runtime(&writer);
    write_warnings(&writer, kernel);
    write_object_end(&writer);
    return request_answer_json(request, 200, &writer, error);
}
