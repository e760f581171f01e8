/* SPDX-License-Identifier: Apache-2.0
 *
 * Both sides of the one door; see door.h.
 */
#include "door.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"

static const struct bh_protocol engine_protocol = {
    .name = "engine_policyd",
    .incoming = &bulkhead__policyd_to_engine__descriptor,
    .outgoing = &bulkhead__engine_to_policyd__descriptor,
};

/* ---- the executor ----------------------------------------------------------------------------------- */

static void keep(struct door *door, const struct bh_message *message)
{
    pthread_mutex_lock(&door->lock);
    free(door->last);
    door->n_last = protobuf_c_message_get_packed_size(message->packet);
    door->last = malloc(door->n_last + 1);
    (void)protobuf_c_message_pack(message->packet, door->last);
    door->last_kind = message->kind;
    door->n_last_fds = message->n_fds;
    door->n_asked++;
    pthread_mutex_unlock(&door->lock);
}

static void serve(struct bh_request *request)
{
    struct door *door = bh_request_owner(request);
    const struct bh_message *message = bh_request_message(request);
    keep(door, message);
    Bulkhead__Done done = BULKHEAD__DONE__INIT;
    Bulkhead__ContainerStarted started = BULKHEAD__CONTAINER_STARTED__INIT;
    Bulkhead__MonitorOpened opened = BULKHEAD__MONITOR_OPENED__INIT;
    Bulkhead__LogOpened log = BULKHEAD__LOG_OPENED__INIT;
    started.pid = 4242;
    log.files = 1;
    Bulkhead__ExecutorToPolicyd packet = BULKHEAD__EXECUTOR_TO_POLICYD__INIT;
    packet.body_case = BULKHEAD__EXECUTOR_TO_POLICYD__BODY_DONE;
    packet.done = &done;
    bh_autoclose int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    size_t n_fds = 0;
    if (message->kind == BULKHEAD__POLICYD_TO_EXECUTOR__BODY_START_CONTAINER) {
        packet.body_case = BULKHEAD__EXECUTOR_TO_POLICYD__BODY_CONTAINER_STARTED;
        packet.container_started = &started;
        n_fds = 1;
    } else if (message->kind == BULKHEAD__POLICYD_TO_EXECUTOR__BODY_OPEN_MONITOR) {
        packet.body_case = BULKHEAD__EXECUTOR_TO_POLICYD__BODY_MONITOR_OPENED;
        packet.monitor_opened = &opened;
        n_fds = 1;
    } else if (message->kind == BULKHEAD__POLICYD_TO_EXECUTOR__BODY_OPEN_LOG) {
        packet.body_case = BULKHEAD__EXECUTOR_TO_POLICYD__BODY_LOG_OPENED;
        packet.log_opened = &log;
        n_fds = 1;
    }
    struct bh_error error;
    switch (door->behaviour) {
    case DOOR_HONEST:
        break;
    case DOOR_WRONG_KIND:
        packet.body_case = BULKHEAD__EXECUTOR_TO_POLICYD__BODY_LOG_OPENED;
        packet.log_opened = &log;
        break;
    case DOOR_NO_FDS:
        n_fds = 0;
        break;
    case DOOR_ERROR:
        (void)bh_error_set(&error, BH_NOT_FOUND, "the executor's own words");
        (void)bh_request_fail(request, &error);
        return;
    }
    (void)bh_request_reply(request, &packet.base, &null, n_fds);
}

static void serve_list(struct bh_request *request)
{
    struct door *door = bh_request_owner(request);
    if (door->listed_tenant != UINT32_MAX) {
        Bulkhead__ContainerId id = BULKHEAD__CONTAINER_ID__INIT;
        Bulkhead__ContainerFound found = BULKHEAD__CONTAINER_FOUND__INIT;
        id.id = (ProtobufCBinaryData){.len = 32, .data = door->listed_id};
        id.tenant_uid = door->listed_tenant;
        found.container = &id;
        found.running = door->listed_running;
        Bulkhead__ExecutorToPolicyd packet = BULKHEAD__EXECUTOR_TO_POLICYD__INIT;
        packet.body_case = BULKHEAD__EXECUTOR_TO_POLICYD__BODY_CONTAINER_FOUND;
        packet.container_found = &found;
        (void)bh_request_progress(request, &packet.base, NULL, 0);
    }
    Bulkhead__Done done = BULKHEAD__DONE__INIT;
    Bulkhead__ExecutorToPolicyd packet = BULKHEAD__EXECUTOR_TO_POLICYD__INIT;
    packet.body_case = BULKHEAD__EXECUTOR_TO_POLICYD__BODY_DONE;
    packet.done = &done;
    (void)bh_request_reply(request, &packet.base, NULL, 0);
}

#define ROW(name)                                                                                                      \
    {                                                                                                                  \
        BULKHEAD__POLICYD_TO_EXECUTOR__BODY_##name, #name, ~0u, 0, 15, serve                                           \
    }

static const struct bh_protocol executor_protocol = {
    .name = "policyd_executor",
    .incoming = &bulkhead__policyd_to_executor__descriptor,
    .outgoing = &bulkhead__executor_to_policyd__descriptor,
    .handlers = (const struct bh_handler[]){ROW(START_CONTAINER),
                                            ROW(SIGNAL_CONTAINER),
                                            ROW(OPEN_MONITOR),
                                            ROW(OPEN_LOG),
                                            ROW(FREEZE_CONTAINER),
                                            ROW(UPDATE_CONTAINER),
                                            ROW(REMOVE_CONTAINER),
                                            ROW(INSPECT_CONTAINER),
                                            {BULKHEAD__POLICYD_TO_EXECUTOR__BODY_LIST_CONTAINERS, "ListContainers", ~0u,
                                             0, 0, serve_list},
                                            {0}},
};

static void *run_executor(void *argument)
{
    struct door *door = argument;
    struct bh_error error = {0};
    (void)bh_channel_serve(door->executor, &error);
    return NULL;
}

/* ---- the door ------------------------------------------------------------------------------------------ */

static void start(struct door *door)
{
    struct harness_options options = {.program = "bulkhead-policyd",
                                      .role = BH_ROLE_POLICYD,
                                      .peers = {BH_ROLE_ENGINE, BH_ROLE_EXECUTOR},
                                      .folders = {BH_FOLDER_STATE, BH_FOLDER_POLICY}};
    harness_start(&door->harness, &options);
    door->engine = harness_channel(&door->harness, BH_ROLE_ENGINE, &engine_protocol);
    struct bh_error error = {0};
    cr_assert_eq(bh_channel_new(&executor_protocol, door, &door->executor, &error), 0);
    cr_assert_eq(bh_channel_wire(door->executor, dup(door->harness.peers[BH_ROLE_EXECUTOR]), &error), 0);
    cr_assert_eq(pthread_create(&door->thread, NULL, run_executor, door), 0);
}

void door_rule_file(struct door *door, const char *name, const char *text)
{
    char path[160];
    if (!door->harness.folder[0]) {
        strcpy(door->harness.folder, "/tmp/bh-XXXXXX");
        cr_assert(mkdtemp(door->harness.folder));
        cr_assert_eq(chmod(door->harness.folder, 0755), 0);
    }
    (void)snprintf(path, sizeof(path), "%s/%d", door->harness.folder, BH_FOLDER_POLICY);
    (void)mkdir(path, 0755);
    (void)snprintf(path, sizeof(path), "%s/%d/%s", door->harness.folder, BH_FOLDER_POLICY, name);
    bh_autoclose int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    cr_assert_geq(fd, 0);
    cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

void door_open(struct door *door)
{
    pthread_mutex_init(&door->lock, NULL);
    if (door->listed_tenant == 0) {
        door->listed_tenant = UINT32_MAX;
    }
    start(door);
}

void door_reopen(struct door *door)
{
    char folder[sizeof(door->harness.folder)];
    char moved[sizeof(folder) + 8];
    memcpy(folder, door->harness.folder, sizeof(folder));
    /* harness_stop() removes its folder; what policyd kept must be there again. */
    (void)snprintf(moved, sizeof(moved), "%s.kept", folder);
    cr_assert_eq(rename(folder, moved), 0);
    (void)harness_stop(&door->harness);
    (void)pthread_join(door->thread, NULL);
    bh_channel_free(door->executor);
    cr_assert_eq(rename(moved, folder), 0);
    memcpy(door->harness.folder, folder, sizeof(folder));
    start(door);
}

void door_close(struct door *door)
{
    cr_expect_eq(harness_stop(&door->harness), 0, "policyd ended well");
    (void)pthread_join(door->thread, NULL);
    bh_channel_free(door->executor);
    free(door->last);
}

void door_reload(struct door *door)
{
    uint64_t before = 0;
    uint64_t after = 0;
    struct bh_error error = {0};
    cr_assert_eq(door_verify(door, &before, &error), 0, "%s", error.message);
    const struct bh_control record = {.kind = BH_CONTROL_RELOAD};
    cr_assert_eq(bh_control_send(door->harness.control, &record, -1, &error), 0);
    while (after <= before) { /* a reload leaves a record */
        cr_assert_eq(door_verify(door, &after, &error), 0, "%s", error.message);
    }
}

void door_spec(struct door_spec *spec, uint8_t id, uint32_t tenant_uid)
{
    static char program[] = "/bin/true", name[] = "box", reference[] = "docker.io/library/busybox:latest";
    static char *masked[] = {
        (char *)"/proc/asound",     (char *)"/proc/acpi",        (char *)"/proc/interrupts",
        (char *)"/proc/kcore",      (char *)"/proc/keys",        (char *)"/proc/latency_stats",
        (char *)"/proc/timer_list", (char *)"/proc/timer_stats", (char *)"/proc/sched_debug",
        (char *)"/proc/scsi",       (char *)"/sys/firmware",     (char *)"/sys/devices/virtual/powercap"};
    static char *read_only[] = {(char *)"/proc/bus", (char *)"/proc/fs", (char *)"/proc/irq", (char *)"/proc/sys",
                                (char *)"/proc/sysrq-trigger"};
    memset(spec, 0, sizeof(*spec));
    bulkhead__container_spec__init(&spec->spec);
    bulkhead__process__init(&spec->process);
    bulkhead__resources__init(&spec->resources);
    bulkhead__log_options__init(&spec->log);
    spec->log.driver = BULKHEAD__LOG_DRIVER__LOG_DRIVER_JSON_FILE;
    bulkhead__mount__init(&spec->mount);
    memset(spec->id, id, sizeof(spec->id));
    spec->args[0] = program;
    spec->process.args = spec->args;
    spec->process.n_args = 1;
    spec->spec.id = (ProtobufCBinaryData){.len = 32, .data = spec->id};
    spec->spec.tenant_uid = tenant_uid;
    spec->spec.process = &spec->process;
    spec->spec.resources = &spec->resources;
    spec->spec.log = &spec->log;
    spec->spec.host_name = name;
    spec->spec.image_reference = reference;
    spec->spec.network = BULKHEAD__NETWORK_MODE__NETWORK_MODE_NONE;
    spec->spec.seccomp = BULKHEAD__SECCOMP_MODE__SECCOMP_MODE_DEFAULT;
    spec->spec.masked_paths = masked;
    spec->spec.n_masked_paths = sizeof(masked) / sizeof(masked[0]);
    spec->spec.read_only_paths = read_only;
    spec->spec.n_read_only_paths = sizeof(read_only) / sizeof(read_only[0]);
    spec->mounts[0] = &spec->mount;
}

int door_ask(struct door *door, Bulkhead__EngineToPolicyd *packet, uint32_t kind, struct bh_message **ret_answer,
             struct bh_error *error)
{
    struct bh_message *answer = NULL;
    int result = bh_call(door->engine, &packet->base, NULL, 0, 10000, kind, &answer, error);
    if (ret_answer) {
        *ret_answer = answer;
    } else {
        bh_message_free(answer);
    }
    return result;
}

int door_start(struct door *door, struct door_spec *spec, struct bh_error *error)
{
    Bulkhead__StartContainer start = BULKHEAD__START_CONTAINER__INIT;
    start.spec = &spec->spec;
    Bulkhead__EngineToPolicyd packet = BULKHEAD__ENGINE_TO_POLICYD__INIT;
    packet.body_case = BULKHEAD__ENGINE_TO_POLICYD__BODY_START_CONTAINER;
    packet.start_container = &start;
    return door_ask(door, &packet, BULKHEAD__POLICYD_TO_ENGINE__BODY_CONTAINER_STARTED, NULL, error);
}

int door_signal(struct door *door, uint8_t id, uint32_t tenant_uid, struct bh_error *error)
{
    uint8_t bytes[32];
    memset(bytes, id, sizeof(bytes));
    Bulkhead__ContainerId container = BULKHEAD__CONTAINER_ID__INIT;
    container.id = (ProtobufCBinaryData){.len = 32, .data = bytes};
    container.tenant_uid = tenant_uid;
    Bulkhead__SignalContainer signal = BULKHEAD__SIGNAL_CONTAINER__INIT;
    signal.container = &container;
    signal.signal = 15;
    Bulkhead__EngineToPolicyd packet = BULKHEAD__ENGINE_TO_POLICYD__INIT;
    packet.body_case = BULKHEAD__ENGINE_TO_POLICYD__BODY_SIGNAL_CONTAINER;
    packet.signal_container = &signal;
    return door_ask(door, &packet, BULKHEAD__POLICYD_TO_ENGINE__BODY_DONE, NULL, error);
}

int door_admit(struct door *door, uint32_t tenant_uid, const char *reference, struct bh_error *error)
{
    uint8_t digest[32] = {1};
    Bulkhead__AdmitImage admit = BULKHEAD__ADMIT_IMAGE__INIT;
    admit.tenant_uid = tenant_uid;
    admit.reference = (char *)(uintptr_t)reference;
    admit.manifest_digest = (ProtobufCBinaryData){.len = 32, .data = digest};
    Bulkhead__EngineToPolicyd packet = BULKHEAD__ENGINE_TO_POLICYD__INIT;
    packet.body_case = BULKHEAD__ENGINE_TO_POLICYD__BODY_ADMIT_IMAGE;
    packet.admit_image = &admit;
    return door_ask(door, &packet, BULKHEAD__POLICYD_TO_ENGINE__BODY_DONE, NULL, error);
}

int door_verify(struct door *door, uint64_t *ret_records, struct bh_error *error)
{
    Bulkhead__VerifyAudit verify = BULKHEAD__VERIFY_AUDIT__INIT;
    Bulkhead__EngineToPolicyd packet = BULKHEAD__ENGINE_TO_POLICYD__INIT;
    packet.body_case = BULKHEAD__ENGINE_TO_POLICYD__BODY_VERIFY_AUDIT;
    packet.verify_audit = &verify;
    bh_automessage struct bh_message *answer = NULL;
    if (door_ask(door, &packet, BULKHEAD__POLICYD_TO_ENGINE__BODY_AUDIT_VERIFIED, &answer, error) < 0) {
        return -1;
    }
    const Bulkhead__AuditVerified *verified = bh_message_body(answer);
    *ret_records = verified->records;
    return 0;
}

Bulkhead__ContainerSpec *door_last_spec(struct door *door)
{
    pthread_mutex_lock(&door->lock);
    cr_assert_eq(door->last_kind, BULKHEAD__POLICYD_TO_EXECUTOR__BODY_START_CONTAINER);
    Bulkhead__PolicydToExecutor *packet = bulkhead__policyd_to_executor__unpack(NULL, door->n_last, door->last);
    pthread_mutex_unlock(&door->lock);
    cr_assert(packet);
    Bulkhead__ContainerSpec *spec = packet->start_container->spec;
    packet->start_container->spec = NULL;
    bulkhead__policyd_to_executor__free_unpacked(packet, NULL);
    return spec;
}
