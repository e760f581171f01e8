/* SPDX-License-Identifier: Apache-2.0
 *
 * POST /containers/create: the client's whole wish as one typed ContainerRequest. Everything read here was written by a
 * client; the engine merges it with the image, and policy judges the result.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/limits.h"
#include "create.h"
#include "engine_call.h"
#include "handlers.h"
#include "json_types.h"
#include "signals.h"

#define HOST_NAME_MAX_BYTES 64                 /* the kernel's */
#define CREATE_DEADLINE_MS  BH_DEADLINE_JOB_MS /* it may fill volumes */

/* RFC 1123: labels of letters, digits and inner hyphens, with dots between them. */
static bool is_host_name(const char *name)
{
    size_t length = strlen(name);
    if (length > HOST_NAME_MAX_BYTES) {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        bool edge = i == 0 || i + 1 == length || name[i - 1] == '.' || name[i + 1] == '.';
        if (!isalnum((unsigned char)name[i]) && (edge || (name[i] != '-' && name[i] != '.'))) {
            return false;
        }
    }
    return true;
}

static int read_host_name(struct create *create, const json_t *value, const char *where, struct bh_error *error)
{
    char *name = NULL;
    if (take_string(value, where, &name, error) < 0 || !name) {
        return name ? 0 : error->code == BH_OK ? 0 : -1;
    }
    if (*name == '\0') {
        free(name);
        return 0;
    }
    create->request->host_name_presence_case = BULKHEAD__CONTAINER_REQUEST__HOST_NAME_PRESENCE_HOST_NAME;
    create->request->host_name = name;
    return is_host_name(name) ? 0 : bh_error_set(error, BH_INVALID_ARGUMENT, "invalid hostname format: %s", name);
}

static int read_domain_name(struct create *create, const json_t *value, const char *where, struct bh_error *error)
{
    if (take_string(value, where, &create->request->domain_name, error) < 0) {
        return -1;
    }
    const char *name = create->request->domain_name;
    return is_host_name(name) ? 0 : bh_error_set(error, BH_INVALID_ARGUMENT, "invalid domainname format: %s", name);
}

static int read_env(struct create *create, const json_t *value, const char *where, struct bh_error *error)
{
    Bulkhead__ContainerRequest *request = create->request;
    if (take_strings(value, where, &request->n_env, &request->env, error) < 0) {
        return -1;
    }
    if (request->n_env > BH_ENV_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "%s has more than %d entries", where, BH_ENV_MAX);
    }
    for (size_t i = 0; i < request->n_env; i++) {
        if (*request->env[i] == '\0' || *request->env[i] == '=') {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid environment variable: %s", request->env[i]);
        }
    }
    return 0;
}

static int read_cmd(struct create *create, const json_t *value, const char *where, struct bh_error *error)
{
    Bulkhead__ContainerRequest *request = create->request;
    if (take_words(value, where, &request->n_cmd, &request->cmd, error) < 0) {
        return -1;
    }
    return request->n_cmd <= BH_ARGV_MAX
               ? 0
               : bh_error_set(error, BH_INVALID_ARGUMENT, "%s has more than %d words", where, BH_ARGV_MAX);
}

static int read_entrypoint(struct create *create, const json_t *value, const char *where, struct bh_error *error)
{
    Bulkhead__ContainerRequest *request = create->request;
    if (json_is_null(value)) {
        return 0;
    }
    request->entrypoint_set = true;
    if (take_words(value, where, &request->n_entrypoint, &request->entrypoint, error) < 0) {
        return -1;
    }
    if (request->n_entrypoint == 1 && *request->entrypoint[0] == '\0') { /* --entrypoint "" */
        free(request->entrypoint[0]);
        free(request->entrypoint);
        request->entrypoint = NULL;
        request->n_entrypoint = 0;
    }
    return request->n_entrypoint <= BH_ARGV_MAX
               ? 0
               : bh_error_set(error, BH_INVALID_ARGUMENT, "%s has more than %d words", where, BH_ARGV_MAX);
}

static int read_working_dir(struct create *create, const json_t *value, const char *where, struct bh_error *error)
{
    if (take_string(value, where, &create->request->working_dir, error) < 0) {
        return -1;
    }
    const char *folder = create->request->working_dir;
    if (*folder && (*folder != '/' || strlen(folder) > BH_PATH_BYTES_MAX)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "the working directory '%s' is invalid, it needs to be an absolute path", folder);
    }
    return 0;
}

static int read_stop_signal(struct create *create, const json_t *value, const char *where, struct bh_error *error)
{
    if (take_string(value, where, &create->request->stop_signal, error) < 0) {
        return -1;
    }
    const char *name = create->request->stop_signal;
    return *name == '\0' || signal_is_known(name)
               ? 0
               : bh_error_set(error, BH_INVALID_ARGUMENT, "invalid signal: %s", name);
}

static int read_stop_timeout(struct create *create, const json_t *value, const char *where, struct bh_error *error)
{
    int64_t seconds = 0;
    if (json_is_null(value)) {
        return 0;
    }
    if (take_int(value, where, -1, INT32_MAX, &seconds, error) < 0) {
        return -1;
    }
    create->request->stop_timeout_s_presence_case = BULKHEAD__CONTAINER_REQUEST__STOP_TIMEOUT_S_PRESENCE_STOP_TIMEOUT_S;
    create->request->stop_timeout_s = seconds < 0 ? UINT32_MAX : (uint32_t)seconds;
    return 0;
}

/* "80", "80/tcp", "8000-8010/udp" */
static int read_exposed_ports(struct create *create, const json_t *value, const char *where, struct bh_error *error)
{
    Bulkhead__ContainerRequest *request = create->request;
    if (take_keys(value, where, &request->n_exposed_ports, &request->exposed_ports, error) < 0) {
        return -1;
    }
    for (size_t i = 0; i < request->n_exposed_ports; i++) {
        const char *port = request->exposed_ports[i];
        size_t digits = strspn(port, "0123456789-");
        const char *protocol = port + digits;
        bool valid = digits > 0 && digits <= 11 && isdigit((unsigned char)*port);
        valid = valid && (*protocol == '\0' || strcmp(protocol, "/tcp") == 0 || strcmp(protocol, "/udp") == 0 ||
                          strcmp(protocol, "/sctp") == 0);
        if (!valid) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid port specification: \"%s\"", port);
        }
    }
    return 0;
}

#define HEALTH_DURATION_MIN_NS 1000000 /* Docker's */

static int read_durations(const json_t *value, Bulkhead__Healthcheck *check, struct bh_error *error)
{
    const struct {
        const char *name;
        int64_t *slot;
    } durations[] = {
        {"Interval", &check->interval_ns},
        {"Timeout", &check->timeout_ns},
        {"StartPeriod", &check->start_period_ns},
        {"StartInterval", &check->start_interval_ns},
    };
    for (size_t i = 0; i < sizeof(durations) / sizeof(durations[0]); i++) {
        const json_t *item = json_object_get(value, durations[i].name);
        if (item && take_int(item, durations[i].name, INT64_MIN, INT64_MAX, durations[i].slot, error) < 0) {
            return bh_error_wrap(error, "Healthcheck");
        }
        if (*durations[i].slot != 0 && *durations[i].slot < HEALTH_DURATION_MIN_NS) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "%s in Healthcheck cannot be less than 1ms",
                                durations[i].name);
        }
    }
    return 0;
}

static int read_healthcheck(struct create *create, const json_t *value, const char *where, struct bh_error *error)
{
    int64_t retries = 0;
    if (json_is_null(value)) {
        return 0;
    }
    if (!json_is_object(value)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid JSON: %s must be an object", where);
    }
    Bulkhead__Healthcheck *check = malloc(sizeof(*check));
    if (!check) {
        return out_of_memory(error);
    }
    bulkhead__healthcheck__init(check);
    create->request->healthcheck = check;
    const json_t *test = json_object_get(value, "Test");
    const json_t *count = json_object_get(value, "Retries");
    if ((test && take_strings(test, "Healthcheck.Test", &check->n_test, &check->test, error) < 0) ||
        (count && take_int(count, "Healthcheck.Retries", INT32_MIN, INT32_MAX, &retries, error) < 0) ||
        read_durations(value, check, error) < 0) {
        return -1;
    }
    if (retries < 0) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "Retries in Healthcheck cannot be negative");
    }
    check->retries = (int32_t)retries;
    static const char *const kinds[] = {"NONE", "CMD", "CMD-SHELL"};
    bool known = check->n_test == 0;
    for (size_t i = 0; !known && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        known = strcmp(check->test[0], kinds[i]) == 0;
    }
    if (!known) {
        create_warn(create, "Healthcheck.Test begins with none of NONE, CMD and CMD-SHELL: no health check will run");
    }
    return 0;
}

static const struct field config_fields[] = {
    {"Image", FIELD_STRING, .offset = REQUEST_AT(image)},
    {"Hostname", FIELD_READ, .read = read_host_name},
    {"Domainname", FIELD_READ, .read = read_domain_name},
    {"User", FIELD_STRING, .offset = REQUEST_AT(user)},
    {"AttachStdin", FIELD_BOOL, .offset = REQUEST_AT(attach_stdin)},
    {"AttachStdout", FIELD_BOOL, .offset = REQUEST_AT(attach_stdout)},
    {"AttachStderr", FIELD_BOOL, .offset = REQUEST_AT(attach_stderr)},
    {"Tty", FIELD_BOOL, .offset = REQUEST_AT(tty)},
    {"OpenStdin", FIELD_BOOL, .offset = REQUEST_AT(open_stdin)},
    {"StdinOnce", FIELD_BOOL, .offset = REQUEST_AT(stdin_once)},
    {"Env", FIELD_READ, .read = read_env},
    {"Cmd", FIELD_READ, .read = read_cmd},
    {"Entrypoint", FIELD_READ, .read = read_entrypoint},
    {"WorkingDir", FIELD_READ, .read = read_working_dir},
    {"Labels", FIELD_MAP, .offset = REQUEST_AT(labels), .count = REQUEST_AT(n_labels)},
    {"StopSignal", FIELD_READ, .read = read_stop_signal},
    {"StopTimeout", FIELD_READ, .read = read_stop_timeout},
    {"ExposedPorts", FIELD_READ, .read = read_exposed_ports},
    {"Healthcheck", FIELD_READ, .read = read_healthcheck},
    {"Volumes", FIELD_KEYS, .offset = REQUEST_AT(volumes), .count = REQUEST_AT(n_volumes)},
    {"NetworkDisabled", FIELD_BOOL, .offset = REQUEST_AT(network_disabled)},
    {"MacAddress", FIELD_READ, .read = read_mac_address},
    {"OnBuild", FIELD_REFUSED, .without = "this belongs to images"},
    {"Shell", FIELD_REFUSED, .without = "this belongs to images"},
    {"ArgsEscaped", FIELD_REFUSED, .without = "this is an option for Windows"},
    {0},
};

int create_read_config(struct create *create, const json_t *body, struct bh_error *error)
{
    return read_fields(create, config_fields, body, "", NULL, error);
}

/* Before version 1.18 these stood in the outermost object. Docker ignores them there, and clients still send some. */
#define OLD_HOST_CONFIG                                                                                                \
    "Binds", "CapAdd", "CapDrop", "CgroupParent", "CpuShares", "Cpuset", "CpusetCpus", "Devices", "Dns", "DnsSearch",  \
        "ExtraHosts", "IpcMode", "Links", "LogConfig", "LxcConf", "Memory", "MemorySwap", "NetworkMode", "PidMode",    \
        "PortBindings", "PortSpecs", "Privileged", "PublishAllPorts", "ReadonlyRootfs", "RestartPolicy",               \
        "SecurityOpt", "Ulimits", "VolumesFrom"

static void warn_of_old_fields(struct create *create, const json_t *body)
{
    static const char *const old[] = {OLD_HOST_CONFIG};
    for (size_t i = 0; i < sizeof(old) / sizeof(old[0]); i++) {
        const json_t *value = json_object_get(body, old[i]);
        if (value && !json_is_empty(value)) {
            create_warn(create, "Fields of HostConfig that stand beside it, like Dns or Memory, are ignored.");
            return;
        }
    }
}

int create_read(struct create *create, const json_t *body, struct bh_error *error)
{
    static const char *const elsewhere[] = {"HostConfig", "NetworkingConfig", OLD_HOST_CONFIG, NULL};
    if (json_object_size(body) == 0) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "config cannot be empty in order to create a container");
    }
    warn_of_old_fields(create, body);
    if (json_settle_field(body, "HostConfig", error) < 0 || json_settle_field(body, "NetworkingConfig", error) < 0 ||
        read_fields(create, config_fields, body, "", elsewhere, error) < 0 ||
        host_config_read(create, json_object_get(body, "HostConfig"), error) < 0 ||
        networking_read(create, json_object_get(body, "NetworkingConfig"), error) < 0) {
        return -1;
    }
    const char *image = create->request->image;
    if (*image == '\0') {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "invalid JSON: Image is missing: it must name the container's image");
    }
    if (strlen(image) > BH_REFERENCE_BYTES_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid reference format: the image's name is too long");
    }
    return 0;
}

Bulkhead__ContainerRequest *create_new_request(void)
{
    Bulkhead__ContainerRequest *request = malloc(sizeof(*request));
    if (!request) {
        return NULL;
    }
    bulkhead__container_request__init(request);
    request->resources = malloc(sizeof(*request->resources));
    request->log = malloc(sizeof(*request->log));
    if (request->resources) {
        bulkhead__resources__init(request->resources);
    }
    if (request->log) {
        bulkhead__log_options__init(request->log);
    }
    if (!request->resources || !request->log) {
        bulkhead__container_request__free_unpacked(request, NULL);
        return NULL;
    }
    return request;
}

static int answer_created(struct request *request, const struct create *create,
                          const Bulkhead__ContainerCreated *created, struct bh_error *error)
{
    auto_json_writer writer = {0};
    char id[65];
    write_object(&writer, NULL);
    write_string(&writer, "Id", id_hex(&created->id, id));
    write_array(&writer, "Warnings");
    for (size_t i = 0; i < create->n_warnings; i++) {
        write_string(&writer, NULL, create->warnings[i]);
    }
    for (size_t i = 0; i < created->n_warnings; i++) {
        write_string(&writer, NULL, created->warnings[i]);
    }
    write_array_end(&writer);
    write_object_end(&writer);
    return request_answer_json(request, 201, &writer, error);
}

static int read_and_create(struct request *request, struct create *create, const json_t *body, struct bh_error *error)
{
    bh_automessage struct bh_message *answer = NULL;
    Bulkhead__CreateContainer question = BULKHEAD__CREATE_CONTAINER__INIT;
    const char *name = http_parameter(&request->target, "name");
    const char *platform = http_parameter(&request->target, "platform");
    if (name && *name == '/') {
        name++;
    }
    if ((name && *name && container_name_check(name, error) < 0) || create_read(create, body, error) < 0 ||
        (platform && *platform && set_string(&create->request->platform, platform, error) < 0)) {
        return -1;
    }
    if (name) {
        question.name = (char *)(uintptr_t)name;
    }
    question.request = create->request;
    ENGINE_PACKET(packet, CREATE_CONTAINER, create_container, &question);
    if (engine_ask(request, &packet, CREATE_DEADLINE_MS, BULKHEAD__ENGINE_TO_API__BODY_CONTAINER_CREATED, &answer,
                   error) < 0) {
        return -1;
    }
    return answer_created(request, create, bh_message_body(answer), error);
}

int handle_container_create(struct request *request, struct bh_error *error)
{
    auto_json *body = NULL;
    if (request_read_object(request, false, &body, error) < 0) {
        return -1;
    }
    struct create create = {.api = request->api, .version = request->version, .request = create_new_request()};
    if (!create.request) {
        return out_of_memory(error);
    }
    int result = read_and_create(request, &create, body, error);
    bulkhead__container_request__free_unpacked(create.request, NULL);
    return result;
}
