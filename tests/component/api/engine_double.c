/* SPDX-License-Identifier: Apache-2.0
 *
 * See engine_double.h.
 */
#include "engine_double.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/io.h"

struct engine_double engine;

static uint8_t container_id[32], image_id[32];

#define REPLY(name, KIND, slot, body)                                                                                  \
    Bulkhead__EngineToApi name = BULKHEAD__ENGINE_TO_API__INIT;                                                        \
    name.body_case = BULKHEAD__ENGINE_TO_API__BODY_##KIND;                                                             \
    name.slot = (body)

static void reply_done(struct bh_request *request)
{
    Bulkhead__Done done = BULKHEAD__DONE__INIT;
    REPLY(packet, DONE, done, &done);
    bh_request_reply(request, &packet.base, NULL, 0);
}

static void fail(struct bh_request *request, enum bh_code code, const char *message)
{
    struct bh_error error = {0};
    bh_error_set(&error, code, "%s", message);
    bh_request_fail(request, &error);
}

static void note(const char *what)
{
    snprintf(engine.asked, sizeof(engine.asked), "%s", what);
}

static void get_info(struct bh_request *request)
{
    Bulkhead__Info info = BULKHEAD__INFO__INIT;
    info.id = (char *)"double";
    info.version = (char *)"test";
    info.host_name = (char *)"test-host";
    info.state_path = (char *)"/var/lib/bulkhead";
    info.images = 3;
    REPLY(packet, INFO, info, &info);
    bh_request_reply(request, &packet.base, NULL, 0);
}

static void check_auth(struct bh_request *request)
{
    const Bulkhead__CheckAuth *body = bh_request_body(request);
    Bulkhead__AuthAccepted accepted = BULKHEAD__AUTH_ACCEPTED__INIT;
    note(body->registry_host);
    if (strcmp(body->credentials->password, "right") != 0) {
        fail(request, BH_UNAUTHENTICATED, "unauthorized: incorrect username or password");
        return;
    }
    REPLY(packet, AUTH_ACCEPTED, auth_accepted, &accepted);
    bh_request_reply(request, &packet.base, NULL, 0);
}

static void get_privileges(struct bh_request *request)
{
    Bulkhead__Privilege row = BULKHEAD__PRIVILEGE__INIT;
    row.role = (char *)"engine";
    row.pid = 42;
    REPLY(packet, PRIVILEGE, privilege, &row);
    bh_request_progress(request, &packet.base, NULL, 0);
    reply_done(request);
}

static void check_audit(struct bh_request *request)
{
    Bulkhead__AuditChecked checked = BULKHEAD__AUDIT_CHECKED__INIT;
    checked.records = 5;
    checked.head.data = image_id;
    checked.head.len = sizeof(image_id);
    REPLY(packet, AUDIT_CHECKED, audit_checked, &checked);
    bh_request_reply(request, &packet.base, NULL, 0);
}

static void progress(struct bh_request *request, Bulkhead__ProgressKind kind, const char *id, const char *text,
                     uint64_t current, uint64_t total)
{
    Bulkhead__Progress step = BULKHEAD__PROGRESS__INIT;
    step.kind = kind;
    step.id = (char *)id;
    step.text = (char *)text;
    step.current_bytes = current;
    step.total_bytes = total;
    REPLY(packet, PROGRESS, progress, &step);
    bh_request_progress(request, &packet.base, NULL, 0);
}

static void hanging_cancelled(struct bh_request *request, void *argument)
{
    (void)request;
    (void)argument;
    atomic_store(&engine.hanging_cancelled, true);
}

static void pull_image(struct bh_request *request)
{
    const Bulkhead__PullImage *body = bh_request_body(request);
    size_t n_bytes = bulkhead__pull_image__get_packed_size(body);
    uint8_t *bytes = malloc(n_bytes + 1);
    bulkhead__pull_image__pack(body, bytes);
    bulkhead__pull_image__free_unpacked(engine.pulled, NULL);
    engine.pulled = bulkhead__pull_image__unpack(NULL, n_bytes, bytes);
    free(bytes);
    note(body->reference);
    if (strstr(body->reference, "denied")) {
        fail(request, BH_NOT_FOUND,
             "pull access denied for denied, repository does not exist or may require 'docker login'");
        return;
    }
    progress(request, BULKHEAD__PROGRESS_KIND__PROGRESS_KIND_PULLING_FROM, "latest", "library/busybox", 0, 0);
    if (strstr(body->reference, "hang")) {
        engine.hanging = bh_request_ref(request);
        bh_request_on_cancel(request, hanging_cancelled, NULL);
        return;
    }
    progress(request, BULKHEAD__PROGRESS_KIND__PROGRESS_KIND_DOWNLOADING, "aaaaaaaaaaaa", "", 1000000, 2000000);
    if (strstr(body->reference, "broken")) {
        fail(request, BH_DATA_LOSS, "the layer's digest is wrong");
        return;
    }
    progress(request, BULKHEAD__PROGRESS_KIND__PROGRESS_KIND_PULL_COMPLETE, "aaaaaaaaaaaa", "", 0, 0);
    progress(request, BULKHEAD__PROGRESS_KIND__PROGRESS_KIND_DIGEST, "", "sha256:" DOUBLE_ID_HEX, 0, 0);
    reply_done(request);
}

struct loading {
    struct bh_request *request;
    int from;
};

static void *load_thread(void *argument)
{
    struct loading *loading = argument;
    static unsigned char bytes[65536];
    ssize_t n;
    while ((n = read(loading->from, bytes, sizeof(bytes))) > 0) {
        for (ssize_t i = 0; i < n; i++) {
            atomic_fetch_add_explicit(&engine.loaded_sum, bytes[i], memory_order_relaxed);
        }
        atomic_fetch_add(&engine.loaded_bytes, (unsigned long long)n);
    }
    close(loading->from);
    Bulkhead__ImageLoaded loaded = BULKHEAD__IMAGE_LOADED__INIT;
    char *names[] = {(char *)"busybox:latest"};
    loaded.id.data = image_id;
    loaded.id.len = sizeof(image_id);
    loaded.references = names;
    loaded.n_references = 1;
    REPLY(packet, IMAGE_LOADED, image_loaded, &loaded);
    bh_request_progress(loading->request, &packet.base, NULL, 0);
    reply_done(loading->request);
    bh_request_unref(loading->request);
    free(loading);
    return NULL;
}

static void start_thread(void *(*run)(void *), void *argument)
{
    pthread_t thread;
    cr_assert_eq(pthread_create(&thread, NULL, run, argument), 0);
    pthread_detach(thread);
}

static void load_images(struct bh_request *request)
{
    struct loading *loading = malloc(sizeof(*loading));
    loading->request = bh_request_ref(request);
    loading->from = bh_request_take_fd(request, 0);
    start_thread(load_thread, loading);
}

static char *tags[] = {(char[]){"busybox:latest"}};

static void fill_summary(Bulkhead__ImageSummary *image)
{
    bulkhead__image_summary__init(image);
    image->id.data = image_id;
    image->id.len = sizeof(image_id);
    image->tags = tags;
    image->n_tags = 1;
    image->created_ns = 1700000000123456789;
    image->size_bytes = 4242424;
}

static void list_images(struct bh_request *request)
{
    Bulkhead__ImageSummary image;
    fill_summary(&image);
    REPLY(packet, IMAGE_SUMMARY, image_summary, &image);
    bh_request_progress(request, &packet.base, NULL, 0);
    reply_done(request);
}

static void inspect_image(struct bh_request *request)
{
    const Bulkhead__InspectImage *body = bh_request_body(request);
    note(body->reference);
    if (strstr(body->reference, "missing")) {
        fail(request, BH_NOT_FOUND, "No such image: missing:latest");
        return;
    }
    Bulkhead__ImageDetails details = BULKHEAD__IMAGE_DETAILS__INIT;
    Bulkhead__ImageSummary image;
    Bulkhead__ImageConfig config = BULKHEAD__IMAGE_CONFIG__INIT;
    Bulkhead__History histories[] = {BULKHEAD__HISTORY__INIT, BULKHEAD__HISTORY__INIT};
    Bulkhead__History *history[] = {&histories[0], &histories[1]};
    Bulkhead__ImageLayer layer = BULKHEAD__IMAGE_LAYER__INIT;
    Bulkhead__ImageLayer *layers[] = {&layer};
    ProtobufCBinaryData diff = {.data = image_id, .len = sizeof(image_id)};
    fill_summary(&image);
    histories[0].created_by = (char *)"ADD rootfs";
    histories[1].created_by = (char *)"CMD sh";
    histories[1].empty_layer = true;
    layer.size_bytes = 777;
    layer.digest = diff;
    config.os = (char *)"linux";
    config.architecture = (char *)"amd64";
    config.created_ns = 1700000000123456789;
    config.history = history;
    config.n_history = 2;
    config.diff_ids = &diff;
    config.n_diff_ids = 1;
    config.cmd = tags;
    config.n_cmd = 1;
    details.summary = &image;
    details.config = &config;
    details.layers = layers;
    details.n_layers = 1;
    details.manifest_digest = diff;
    REPLY(packet, IMAGE_DETAILS, image_details, &details);
    bh_request_reply(request, &packet.base, NULL, 0);
}

static void tag_image(struct bh_request *request)
{
    const Bulkhead__TagImage *body = bh_request_body(request);
    note(body->target);
    reply_done(request);
}

static void delete_image(struct bh_request *request)
{
    Bulkhead__ImageDeleted deleted = BULKHEAD__IMAGE_DELETED__INIT;
    deleted.what_case = BULKHEAD__IMAGE_DELETED__WHAT_UNTAGGED;
    deleted.untagged = (char *)"busybox:latest";
    REPLY(packet, IMAGE_DELETED, image_deleted, &deleted);
    bh_request_progress(request, &packet.base, NULL, 0);
    reply_done(request);
}

static void create_container(struct bh_request *request)
{
    const Bulkhead__CreateContainer *body = bh_request_body(request);
    size_t n_bytes = bulkhead__container_request__get_packed_size(body->request);
    uint8_t *bytes = malloc(n_bytes + 1);
    bulkhead__container_request__pack(body->request, bytes);
    bulkhead__container_request__free_unpacked(engine.created, NULL);
    engine.created = bulkhead__container_request__unpack(NULL, n_bytes, bytes);
    free(bytes);
    snprintf(engine.created_name, sizeof(engine.created_name), "%s", body->name);
    if (strstr(body->request->image, "missing")) {
        fail(request, BH_NOT_FOUND, "No such image: missing:latest");
        return;
    }
    engine.tty = body->request->tty;
    Bulkhead__ContainerCreated created = BULKHEAD__CONTAINER_CREATED__INIT;
    created.id.data = container_id;
    created.id.len = sizeof(container_id);
    REPLY(packet, CONTAINER_CREATED, container_created, &created);
    bh_request_reply(request, &packet.base, NULL, 0);
}

void engine_double_exit_container(void)
{
    pthread_mutex_lock(&engine.lock);
    for (size_t i = 0; i < 8; i++) {
        if (engine.waiting[i]) {
            Bulkhead__Waited waited = BULKHEAD__WAITED__INIT;
            waited.exit_code = engine.exit_code;
            REPLY(packet, WAITED, waited, &waited);
            bh_request_reply(engine.waiting[i], &packet.base, NULL, 0);
            bh_request_unref(engine.waiting[i]);
            engine.waiting[i] = NULL;
        }
    }
    pthread_mutex_unlock(&engine.lock);
}

/* The container's program: says a word on stderr, then is cat(1). */
static void *container_thread(void *argument)
{
    static char bytes[65536];
    ssize_t n;
    (void)argument;
    (void)!write(engine.streams[2], "begun\n", 6);
    while ((n = read(engine.streams[0], bytes, sizeof(bytes))) > 0) {
        if (bh_write_all(engine.streams[1], bytes, (size_t)n, "stdout", NULL) < 0) {
            break;
        }
    }
    for (int i = 0; i < 3; i++) {
        bh_close(&engine.streams[i]);
    }
    engine_double_exit_container();
    return NULL;
}

static void run_container(struct bh_request *request)
{
    const Bulkhead__RunContainer *body = bh_request_body(request);
    note(body->reference);
    if (engine.created && engine.created->n_cmd > 0 && strcmp(engine.created->cmd[0], "nope") == 0) {
        for (int i = 0; i < 3; i++) {
            bh_close(&engine.streams[i]);
        }
        fail(request, BH_NOT_FOUND, "exec: \"nope\": executable file not found in $PATH");
        engine.exit_code = 127;
        engine_double_exit_container();
        return;
    }
    reply_done(request);
    if (engine.streams[0] >= 0) {
        start_thread(container_thread, NULL);
    }
}

static void list_containers(struct bh_request *request)
{
    Bulkhead__ContainerSummary container = BULKHEAD__CONTAINER_SUMMARY__INIT;
    Bulkhead__ContainerState state = BULKHEAD__CONTAINER_STATE__INIT;
    char *command[] = {(char *)"sh", (char *)"-c", (char *)"echo hello world"};
    state.status = BULKHEAD__CONTAINER_STATUS__CONTAINER_STATUS_EXITED;
    state.exit_code = 3;
    state.finished_at_ns = bh_wall_ns() - 7200 * 1000000000LL;
    container.id.data = container_id;
    container.id.len = sizeof(container_id);
    container.image_id.data = image_id;
    container.image_id.len = sizeof(image_id);
    container.name = (char *)"wonderful";
    container.image = (char *)"busybox";
    container.command = command;
    container.n_command = 3;
    container.state = &state;
    container.network_mode = (char *)"none";
    REPLY(packet, CONTAINER_SUMMARY, container_summary, &container);
    bh_request_progress(request, &packet.base, NULL, 0);
    reply_done(request);
}

static void look_up_container(struct bh_request *request)
{
    const Bulkhead__LookUpContainer *body = bh_request_body(request);
    note(body->reference);
    if (strstr(body->reference, "absent")) {
        fail(request, BH_NOT_FOUND, "No such container: absent");
        return;
    }
    Bulkhead__ContainerDetails details = BULKHEAD__CONTAINER_DETAILS__INIT;
    Bulkhead__ContainerState state = BULKHEAD__CONTAINER_STATE__INIT;
    Bulkhead__ContainerRequest plain = BULKHEAD__CONTAINER_REQUEST__INIT;
    Bulkhead__ContainerSpec spec = BULKHEAD__CONTAINER_SPEC__INIT;
    Bulkhead__Process process = BULKHEAD__PROCESS__INIT;
    Bulkhead__ImageConfig config = BULKHEAD__IMAGE_CONFIG__INIT;
    char *args[] = {(char *)"sh", (char *)"-c"};
    plain.network = BULKHEAD__NETWORK_MODE__NETWORK_MODE_NONE;
    plain.seccomp = BULKHEAD__SECCOMP_MODE__SECCOMP_MODE_DEFAULT;
    process.args = args;
    process.n_args = 2;
    spec.process = &process;
    spec.network = BULKHEAD__NETWORK_MODE__NETWORK_MODE_NONE;
    spec.seccomp = BULKHEAD__SECCOMP_MODE__SECCOMP_MODE_DEFAULT;
    spec.host_name = (char *)"box";
    state.status = BULKHEAD__CONTAINER_STATUS__CONTAINER_STATUS_CREATED;
    details.id.data = container_id;
    details.id.len = sizeof(container_id);
    details.image_id.data = image_id;
    details.image_id.len = sizeof(image_id);
    details.name = (char *)"wonderful";
    details.created_ns = 1700000000123456789;
    details.state = &state;
    details.request = engine.created ? engine.created : &plain;
    details.spec = &spec;
    details.image_config = &config;
    Bulkhead__MountPoint point = BULKHEAD__MOUNT_POINT__INIT, *points[] = {&point};
    point.type = (char *)"bind";
    point.source = (char *)"/src";
    point.destination = (char *)"/dst";
    point.mode = (char *)"ro";
    point.read_only = true;
    point.propagation = (char *)"rprivate";
    details.mount_points = points;
    details.n_mount_points = 1;
    REPLY(packet, CONTAINER_DETAILS, container_details, &details);
    bh_request_reply(request, &packet.base, NULL, 0);
}

static void stop_container(struct bh_request *request)
{
    const Bulkhead__StopContainer *body = bh_request_body(request);
    note(body->reference);
    engine.stop_timeout_s = body->timeout_s;
    Bulkhead__Unchanged unchanged = BULKHEAD__UNCHANGED__INIT;
    REPLY(packet, UNCHANGED, unchanged, &unchanged);
    bh_request_reply(request, &packet.base, NULL, 0);
}

static void kill_container(struct bh_request *request)
{
    const Bulkhead__KillContainer *body = bh_request_body(request);
    note(body->signal);
    fail(request, BH_FAILED_PRECONDITION, "Cannot kill container: x: container x is not running");
}

static void wait_container(struct bh_request *request)
{
    Bulkhead__WaitStarted started = BULKHEAD__WAIT_STARTED__INIT;
    REPLY(packet, WAIT_STARTED, wait_started, &started);
    pthread_mutex_lock(&engine.lock); /* nobody sees the start of a wait that is not listed yet */
    bh_request_progress(request, &packet.base, NULL, 0);
    for (size_t i = 0; i < 8; i++) {
        if (!engine.waiting[i]) {
            engine.waiting[i] = bh_request_ref(request);
            break;
        }
    }
    pthread_mutex_unlock(&engine.lock);
}

static void done(struct bh_request *request)
{
    reply_done(request);
}

static void attach_container(struct bh_request *request)
{
    for (size_t i = 0; i < 3; i++) {
        bh_close(&engine.streams[i]);
        engine.streams[i] = bh_request_take_fd(request, i);
    }
    if (engine.says) {
        (void)!write(engine.streams[1], engine.says, strlen(engine.says));
    }
    Bulkhead__Attached attached = BULKHEAD__ATTACHED__INIT;
    attached.tty = engine.tty;
    REPLY(packet, ATTACHED, attached, &attached);
    bh_request_reply(request, &packet.base, NULL, 0);
}

static void read_logs(struct bh_request *request)
{
    const Bulkhead__ReadLogs *body = bh_request_body(request);
    Bulkhead__LogsOpened opened = BULKHEAD__LOGS_OPENED__INIT;
    opened.driver = BULKHEAD__LOG_DRIVER__LOG_DRIVER_JSON_FILE;
    int fds[16];
    size_t n = 0;
    if (body->follow) {
        int ends[2];
        struct bh_error error;
        cr_assert_eq(bh_channel_pair(ends, &error), 0);
        engine.monitor = ends[0];
        if (engine.monitor_ended) {
            bh_close(&engine.monitor);
        }
        fds[n++] = ends[1];
        opened.following = true;
    }
    for (int i = 0; i < engine.log_files; i++) {
        char name[32];
        snprintf(name, sizeof(name), i ? "container.log.%d" : "container.log", i);
        int fd = openat(engine.log_folder, name, O_RDONLY | O_CLOEXEC);
        if (fd >= 0) {
            fds[n++] = fd;
            opened.files++;
        }
    }
    opened.tty = engine.tty;
    REPLY(packet, LOGS_OPENED, logs_opened, &opened);
    bh_request_reply(request, &packet.base, fds, n);
    for (size_t i = 0; i < n; i++) {
        close(fds[i]);
    }
}

#define ROW(KIND, function)                                                                                            \
    {                                                                                                                  \
        BULKHEAD__API_TO_ENGINE__BODY_##KIND, #KIND, ~0u, 0, 0, function                                               \
    }

/* A journal without an event; who waits for one is let down. */
static void read_events(struct bh_request *request)
{
    const Bulkhead__ReadEvents *question = bh_request_body(request);
    Bulkhead__EventsRead read = BULKHEAD__EVENTS_READ__INIT;
    REPLY(packet, EVENTS_READ, events_read, &read);
    if (question->wait) {
        fail(request, BH_CANCELLED, "nobody waits any more");
    } else {
        bh_request_reply(request, &packet.base, NULL, 0);
    }
}

/* Keeps a message of the request's. */
static void *copy_of(const ProtobufCMessage *message)
{
    size_t n_bytes = protobuf_c_message_get_packed_size(message);
    uint8_t *bytes = malloc(n_bytes + 1);
    protobuf_c_message_pack(message, bytes);
    ProtobufCMessage *copy = protobuf_c_message_unpack(message->descriptor, NULL, n_bytes, bytes);
    free(bytes);
    return copy;
}

static void create_exec(struct bh_request *request)
{
    const Bulkhead__CreateExec *body = bh_request_body(request);
    note(body->reference);
    bulkhead__exec_request__free_unpacked(engine.exec, NULL);
    engine.exec = copy_of(&body->request->base);
    Bulkhead__ExecCreated created = BULKHEAD__EXEC_CREATED__INIT;
    created.id.data = container_id;
    created.id.len = sizeof(container_id);
    REPLY(packet, EXEC_CREATED, exec_created, &created);
    bh_request_reply(request, &packet.base, NULL, 0);
}

/* The exec that was created last; "running" and "ended" say what has become of it. */
static void look_up_exec(struct bh_request *request)
{
    const Bulkhead__LookUpExec *body = bh_request_body(request);
    Bulkhead__ExecDetails details = BULKHEAD__EXEC_DETAILS__INIT;
    note(body->id);
    if (!engine.exec) {
        fail(request, BH_NOT_FOUND, "No such exec instance: absent");
        return;
    }
    bool running = strcmp(body->id, "running") == 0, ended = strcmp(body->id, "ended") == 0;
    details.id.data = container_id;
    details.id.len = sizeof(container_id);
    details.container_id.data = image_id;
    details.container_id.len = sizeof(image_id);
    details.request = strcmp(body->id, "half") == 0 ? NULL : engine.exec;
    details.user = (char *)"app";
    details.status = running ? BULKHEAD__EXEC_STATUS__EXEC_STATUS_RUNNING
                     : ended ? BULKHEAD__EXEC_STATUS__EXEC_STATUS_ENDED
                             : BULKHEAD__EXEC_STATUS__EXEC_STATUS_CREATED;
    details.pid = running ? 4242 : 0;
    details.exit_code = ended ? 7 : 0;
    REPLY(packet, EXEC_DETAILS, exec_details, &details);
    bh_request_reply(request, &packet.base, NULL, 0);
}

static void resize_exec(struct bh_request *request)
{
    const Bulkhead__ResizeExec *body = bh_request_body(request);
    char text[64];
    snprintf(text, sizeof(text), "%s %u x %u", body->id, body->rows, body->columns);
    note(text);
    reply_done(request);
}

static void change_container(struct bh_request *request)
{
    const Bulkhead__ChangeContainer *body = bh_request_body(request);
    char *warnings[] = {(char *)"a warning of the engine's"};
    Bulkhead__ContainerChanged changed = BULKHEAD__CONTAINER_CHANGED__INIT;
    note(body->reference);
    bulkhead__change_container__free_unpacked(engine.changed, NULL);
    engine.changed = copy_of(&body->base);
    changed.warnings = warnings;
    changed.n_warnings = 1;
    REPLY(packet, CONTAINER_CHANGED, container_changed, &changed);
    bh_request_reply(request, &packet.base, NULL, 0);
}

static const struct bh_handler handlers[] = {
    ROW(READ_EVENTS, read_events),
    ROW(GET_INFO, get_info),
    ROW(CHECK_AUTH, check_auth),
    ROW(GET_PRIVILEGES, get_privileges),
    ROW(CHECK_AUDIT, check_audit),
    ROW(PULL_IMAGE, pull_image),
    {BULKHEAD__API_TO_ENGINE__BODY_LOAD_IMAGES, "LOAD_IMAGES", ~0u, 2, 2, load_images},
    ROW(LIST_IMAGES, list_images),
    ROW(INSPECT_IMAGE, inspect_image),
    ROW(TAG_IMAGE, tag_image),
    ROW(DELETE_IMAGE, delete_image),
    ROW(CREATE_CONTAINER, create_container),
    ROW(RUN_CONTAINER, run_container),
    ROW(LIST_CONTAINERS_OF, list_containers),
    ROW(LOOK_UP_CONTAINER, look_up_container),
    ROW(STOP_CONTAINER, stop_container),
    ROW(KILL_CONTAINER, kill_container),
    ROW(WAIT_CONTAINER, wait_container),
    ROW(DELETE_CONTAINER, done),
    {BULKHEAD__API_TO_ENGINE__BODY_ATTACH_CONTAINER, "ATTACH_CONTAINER", ~0u, 3, 3, attach_container},
    ROW(READ_LOGS, read_logs),
    ROW(RESTART_CONTAINER, done),
    ROW(RENAME_CONTAINER, done),
    ROW(PAUSE_CONTAINER, done),
    ROW(RESIZE_CONTAINER, done),
    ROW(CHANGE_CONTAINER, change_container),
    ROW(CREATE_EXEC, create_exec),
    ROW(LOOK_UP_EXEC, look_up_exec),
    ROW(RESIZE_EXEC, resize_exec),
    {0},
};

static const struct bh_protocol protocol = {
    .name = "api_engine",
    .incoming = &bulkhead__api_to_engine__descriptor,
    .outgoing = &bulkhead__engine_to_api__descriptor,
    .handlers = handlers,
};

static void *serve(void *argument)
{
    struct bh_error error = {0};
    (void)bh_channel_serve(argument, &error);
    return NULL;
}

void engine_double_start(void)
{
    static const struct harness_options options = {
        .program = "bulkhead-api",
        .role = BH_ROLE_API,
        .peers = {BH_ROLE_ENGINE},
        .tenant_uid = 1234,
    };
    memset(container_id, 0x11, sizeof(container_id));
    memset(image_id, 0x22, sizeof(image_id));
    engine = (struct engine_double){.streams = {-1, -1, -1}, .log_folder = -1, .monitor = -1, .listener = -1};
    pthread_mutex_init(&engine.lock, NULL);
    harness_start(&engine.harness, &options);
    struct bh_channel *channel = harness_channel(&engine.harness, BH_ROLE_ENGINE, &protocol);
    cr_assert_eq(pthread_create(&engine.server, NULL, serve, channel), 0);
    engine.log_folder = open(engine.harness.folder, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
}

void engine_double_stop(void)
{
    int status;
    if (engine.listener >= 0) {
        shutdown(engine.listener, SHUT_RDWR);
        pthread_join(engine.acceptor, NULL);
        bh_close(&engine.listener);
    }
    /* The channel is freed by harness_stop(): let its thread leave first, by api's end. */
    const struct bh_control record = {.kind = BH_CONTROL_STOP};
    bh_control_send(engine.harness.control, &record, -1, NULL);
    pthread_join(engine.server, NULL);
    status = harness_stop(&engine.harness);
    bulkhead__pull_image__free_unpacked(engine.pulled, NULL);
    bulkhead__container_request__free_unpacked(engine.created, NULL);
    bulkhead__exec_request__free_unpacked(engine.exec, NULL);
    bulkhead__change_container__free_unpacked(engine.changed, NULL);
    bh_close(&engine.log_folder);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "api ended with status %#x", (unsigned)status);
}

static void hand_over(int fd)
{
    const struct bh_control record = {.kind = BH_CONTROL_CLIENT, .tenant_uid = 1234, .value = 1};
    struct bh_error error;
    cr_assert_eq(bh_control_send(engine.harness.control, &record, fd, &error), 0);
}

int engine_double_connect(void)
{
    int ends[2];
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    hand_over(ends[1]);
    close(ends[1]);
    return ends[0];
}

static void *accept_clients(void *argument)
{
    (void)argument;
    for (;;) {
        int fd = accept4(engine.listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0) {
            return NULL;
        }
        hand_over(fd);
        close(fd);
    }
}

void engine_double_listen(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(engine.socket_path, sizeof(engine.socket_path), "%s/docker.sock", engine.harness.folder);
    memcpy(address.sun_path, engine.socket_path, sizeof(address.sun_path));
    engine.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(bind(engine.listener, (struct sockaddr *)&address, sizeof(address)), 0);
    cr_assert_eq(listen(engine.listener, 16), 0);
    cr_assert_eq(pthread_create(&engine.acceptor, NULL, accept_clients, NULL), 0);
}

const char *http_talk(int fd, const char *text, size_t n_bytes)
{
    static char response[4 * 1024 * 1024];
    size_t n = 0;
    ssize_t got;
    bh_write_all(fd, text, n_bytes, "api", NULL);
    while (n < sizeof(response) - 1 && (got = read(fd, response + n, sizeof(response) - 1 - n)) > 0) {
        n += (size_t)got;
    }
    response[n] = '\0';
    return response;
}

const char *http_once(const char *text)
{
    int fd = engine_double_connect();
    const char *response = http_talk(fd, text, strlen(text));
    close(fd);
    return response;
}

int http_status(const char *response)
{
    return strncmp(response, "HTTP/1.", 7) == 0 ? atoi(response + 9) : 0;
}
