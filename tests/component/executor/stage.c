/* SPDX-License-Identifier: Apache-2.0
 *
 * The executor's stage; see stage.h.
 */
#include "stage.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/digest.h"
#include "common/io.h"
#include "engine_monitor.pb-c.h"

#define STORE_UID (0x6fee0000U + BH_ROLE_STORE)
#define WAIT_MS   30000

struct harness stage;
static char cgroup_parent[64]; /* this process's own: suites run at the same time */

static void configure(Bulkhead__Config *config)
{
    config->cgroup_parent = cgroup_parent;
}

static const struct bh_protocol executor_protocol = {
    .name = "policyd_executor",
    .incoming = &bulkhead__executor_to_policyd__descriptor,
    .outgoing = &bulkhead__policyd_to_executor__descriptor,
};

static const struct bh_protocol monitor_protocol = {
    .name = "engine_monitor",
    .incoming = &bulkhead__monitor_to_engine__descriptor,
    .outgoing = &bulkhead__engine_to_monitor__descriptor,
};

static const struct harness_options options = {
    .program = "bulkhead-executor",
    .role = BH_ROLE_EXECUTOR,
    .peers = {BH_ROLE_POLICYD},
    .folders = {BH_FOLDER_LAYERS, BH_FOLDER_CONTAINERS, BH_FOLDER_LOGS, BH_FOLDER_VOLUMES, BH_FOLDER_LIBEXEC},
    .configure = configure,
};

/* ---- layers ------------------------------------------------------------------------------------------ */

static void digest_of(uint8_t number, uint8_t digest[static 32])
{
    memset(digest, number, 32);
}

static void spawn(char *const *args)
{
    pid_t pid;
    int status;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    char *const env[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL};
    cr_assert_eq(posix_spawnp(&pid, args[0], &actions, NULL, args, env), 0, "%s cannot be executed", args[0]);
    cr_assert(waitpid(pid, &status, 0) == pid && status == 0, "%s failed", args[0]);
    posix_spawn_file_actions_destroy(&actions);
}

void stage_layer(uint8_t number, const char *folder)
{
    char path[256], hex[BH_DIGEST_HEX_SIZE];
    struct bh_digest digest;
    digest_of(number, digest.bytes);
    (void)snprintf(path, sizeof(path), "%s/%d/%s", stage.folder, BH_FOLDER_LAYERS, bh_digest_hex(&digest, hex));
    char *args[] = {"mkfs.erofs", "--quiet", "--all-root", path, (char *)(uintptr_t)folder, NULL};
    spawn(args);
    cr_assert(chown(path, STORE_UID, STORE_UID) == 0 && chmod(path, 0400) == 0);
}

/* A temporary folder beside the executor's. */
static void make_folder(char *path, size_t size)
{
    (void)snprintf(path, size, "%s/tree-XXXXXX", stage.folder);
    cr_assert(mkdtemp(path) && chmod(path, 0755) == 0);
}

void stage_link_layer(uint8_t number, const char *name, const char *target)
{
    char folder[128], path[256];
    make_folder(folder, sizeof(folder));
    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    cr_assert_eq(symlink(target, path), 0);
    stage_layer(number, folder);
}

void stage_file_layer(uint8_t number, const char *name, const char *text, unsigned int mode)
{
    char folder[128], path[256];
    make_folder(folder, sizeof(folder));
    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    for (char *slash = strchr(path + strlen(folder) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        cr_assert_eq(mkdir(path, 0755), 0);
        *slash = '/';
    }
    bh_autoclose int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, mode);
    cr_assert(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) && fchmod(fd, mode) == 0);
    stage_layer(number, folder);
}

static void make_base(void)
{
    static const char *const tools[] = {"sh",     "true",   "cat",      "id",    "ls",  "sleep", "echo",
                                        "grep",   "stat",   "mount",    "touch", "pwd", "mkdir", "readlink",
                                        "chmod",  "mknod",  "hostname", "env",   "wc",  "head",  "kill",
                                        "chroot", "umount", "dd",       "tty",   "ps",  "sed"};
    char folder[128], path[256];
    make_folder(folder, sizeof(folder));
    static const char *const folders[] = {"bin", "etc", "tmp", "root", "home"};
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", folder, folders[i]);
        cr_assert_eq(mkdir(path, 0755), 0);
    }
    (void)snprintf(path, sizeof(path), "%s/tmp", folder);
    cr_assert_eq(chmod(path, 01777), 0);
    (void)snprintf(path, sizeof(path), "%s/bin/busybox", folder);
    char *copy[] = {"cp", "/bin/busybox", path, NULL};
    spawn(copy);
    for (size_t i = 0; i < sizeof(tools) / sizeof(tools[0]); i++) {
        (void)snprintf(path, sizeof(path), "%s/bin/%s", folder, tools[i]);
        cr_assert_eq(symlink("busybox", path), 0);
    }
    stage_layer(1, folder);
}

/* ---- opening and closing ------------------------------------------------------------------------------- */

/* What the executor mounts is never seen by the host. */
static void expect_no_mounts(void)
{
    bh_autofclose FILE *mounts = fopen("/proc/self/mountinfo", "re");
    char line[4096];
    while (mounts && fgets(line, sizeof(line), mounts)) {
        cr_expect_null(strstr(line, stage.folder), "a mount was left: %s", line);
    }
}

void stage_open(void)
{
    stage = (struct harness){0};
    (void)snprintf(cgroup_parent, sizeof(cgroup_parent), "bulkhead-test-%d", (int)getpid());
    harness_start(&stage, &options);
    (void)harness_channel(&stage, BH_ROLE_POLICYD, &executor_protocol);
    make_base();
}

void stage_restart(void)
{
    cr_assert(kill(stage.pid, SIGKILL) == 0 && waitpid(stage.pid, NULL, 0) == stage.pid);
    bh_channel_free(stage.channels[BH_ROLE_POLICYD]);
    stage.channels[BH_ROLE_POLICYD] = NULL;
    bh_close(&stage.control);
    harness_start(&stage, &options);
    (void)harness_channel(&stage, BH_ROLE_POLICYD, &executor_protocol);
}

static bool is_empty(const char *path)
{
    bh_autoclosedir DIR *folder = opendir(path);
    const struct dirent *entry;
    while (folder && (entry = readdir(folder)) != NULL) {
        if (entry->d_name[0] != '.' || (entry->d_name[1] && strcmp(entry->d_name, "..") != 0)) {
            return false;
        }
    }
    return true;
}

/* What containers leave goes in the background: it must go within a while. */
static bool becomes_empty(const char *path)
{
    for (uint64_t until = bh_now_ms() + WAIT_MS; bh_now_ms() < until; (void)poll(NULL, 0, 5)) {
        if (is_empty(path)) {
            return true;
        }
    }
    return false;
}

static void expect_no_cgroups(void)
{
    static const char *const hierarchies[] = {"cpu",   "cpuacct", "cpuset",  "memory",  "devices", "freezer",
                                              "blkio", "pids",    "systemd", "unified", "."};
    for (size_t i = 0; i < sizeof(hierarchies) / sizeof(hierarchies[0]); i++) {
        char path[128];
        (void)snprintf(path, sizeof(path), "/sys/fs/cgroup/%s/%s", hierarchies[i], cgroup_parent);
        bh_autoclosedir DIR *folder = opendir(path);
        const struct dirent *entry;
        while (folder && (entry = readdir(folder)) != NULL) {
            cr_expect(entry->d_type != DT_DIR || entry->d_name[0] == '.', "cgroup %s/%s was left", path, entry->d_name);
        }
        if (folder) {
            cr_expect_eq(rmdir(path), 0, "%s: %s", path, strerror(errno)); /* this test's own parent */
        }
    }
}

/* After a test that failed half-way. */
static void end_leftovers(void)
{
    struct bh_error error;
    bh_autocall struct bh_call *listing = NULL;
    Bulkhead__ListContainers message = BULKHEAD__LIST_CONTAINERS__INIT;
    Bulkhead__PolicydToExecutor packet = BULKHEAD__POLICYD_TO_EXECUTOR__INIT;
    packet.body_case = BULKHEAD__POLICYD_TO_EXECUTOR__BODY_LIST_CONTAINERS;
    packet.list_containers = &message;
    if (bh_call_start(stage.channels[BH_ROLE_POLICYD], &packet.base, NULL, 0, WAIT_MS, &listing, &error) < 0) {
        return;
    }
    for (;;) {
        bh_automessage struct bh_message *answer = NULL;
        if (bh_call_next(listing, &answer, &error) < 0 || !answer->more) {
            return;
        }
        const Bulkhead__ContainerFound *found = bh_message_body(answer);
        cr_expect_not(found->running, "process %d was left running", found->pid);
        if (found->running) {
            (void)kill(found->pid, SIGKILL);
        }
        struct container container = {.spec = BULKHEAD__CONTAINER_SPEC__INIT};
        container.spec.id = found->container->id;
        container.spec.tenant_uid = found->container->tenant_uid;
        for (uint64_t until = bh_now_ms() + WAIT_MS; ask_remove(&container, &error) < 0 && bh_now_ms() < until;) {
            (void)poll(NULL, 0, 5);
        }
    }
}

void stage_settle(void)
{
    static const enum bh_folder folders[] = {BH_FOLDER_CONTAINERS, BH_FOLDER_LOGS};
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
        char path[128];
        (void)snprintf(path, sizeof(path), "%s/%d", stage.folder, (int)folders[i]);
        cr_expect(becomes_empty(path), "%s is not empty", path);
    }
}

void stage_close(void)
{
    end_leftovers();
    stage_settle();
    expect_no_mounts();
    int status = harness_stop(&stage);
    cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the executor ended with status %#x", status);
    expect_no_cgroups();
}

/* ---- containers ----------------------------------------------------------------------------------------- */

void container_init(struct container *container, const char *script)
{
    static char *env[] = {"PATH=/bin:/usr/bin"};
    static char *masked[] = {"/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/scsi", "/sys/firmware"};
    static char *read_only[] = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"};
    *container = (struct container){.spec = BULKHEAD__CONTAINER_SPEC__INIT,
                                    .process = BULKHEAD__PROCESS__INIT,
                                    .resources = BULKHEAD__RESOURCES__INIT,
                                    .log = BULKHEAD__LOG_OPTIONS__INIT,
                                    .args = {"/bin/sh", "-c", (char *)(uintptr_t)script},
                                    .standard_input = -1,
                                    .output = -1,
                                    .errors = -1,
                                    .links = -1};
    cr_assert_eq(getrandom(container->id, sizeof(container->id), 0), (ssize_t)sizeof(container->id));
    Bulkhead__ContainerSpec *spec = &container->spec;
    spec->id = (ProtobufCBinaryData){.len = 32, .data = container->id};
    spec->process = &container->process;
    spec->resources = &container->resources;
    spec->log = &container->log;
    container->log.driver = BULKHEAD__LOG_DRIVER__LOG_DRIVER_JSON_FILE;
    container->process.args = container->args;
    container->process.n_args = 3;
    container->process.env = env;
    container->process.n_env = 1;
    container->process.cwd = "/";
    spec->layers = container->layers;
    container_add_layer(container, 1);
    spec->host_name = "stage";
    spec->network = BULKHEAD__NETWORK_MODE__NETWORK_MODE_NONE;
    spec->seccomp = BULKHEAD__SECCOMP_MODE__SECCOMP_MODE_DEFAULT;
    spec->capabilities = DOCKERS_14;
    spec->no_new_privileges = true;
    spec->masked_paths = masked;
    spec->n_masked_paths = sizeof(masked) / sizeof(masked[0]);
    spec->read_only_paths = read_only;
    spec->n_read_only_paths = sizeof(read_only) / sizeof(read_only[0]);
    spec->shm_bytes = 1 << 20;
    spec->id_base = STAGE_ID_BASE;
    spec->id_count = 65536;
    spec->monitor_uid = STAGE_MONITOR_UID;
    spec->cgroup_parent = cgroup_parent;
    spec->identity_binds = true;
}

void container_add_layer(struct container *container, uint8_t number)
{
    size_t n = container->spec.n_layers++;
    digest_of(number, container->digests[n]);
    container->layers[n] = (ProtobufCBinaryData){.len = 32, .data = container->digests[n]};
}

static int call(Bulkhead__PolicydToExecutor *packet, const int *fds, size_t n_fds, uint32_t kind,
                struct bh_message **ret_answer, struct bh_error *error)
{
    bh_error_clear(error);
    return bh_call(stage.channels[BH_ROLE_POLICYD], &packet->base, fds, n_fds, WAIT_MS, kind, ret_answer, error);
}

#define PACKET(name, field, message)                                                                                   \
    Bulkhead__PolicydToExecutor packet = BULKHEAD__POLICYD_TO_EXECUTOR__INIT;                                          \
    packet.body_case = BULKHEAD__POLICYD_TO_EXECUTOR__BODY_##name;                                                     \
    packet.field = (message)

static void connect_monitor(struct bh_channel **monitor, int fd)
{
    struct bh_error error;
    cr_assert_eq(bh_channel_new(&monitor_protocol, NULL, monitor, &error), 0);
    cr_assert_eq(bh_channel_wire(*monitor, fd, &error), 0);
}

void container_begin(struct container *container)
{
    bool linked = container->spec.network == BULKHEAD__NETWORK_MODE__NETWORK_MODE_LINKED;
    int in[2], out[2], err[2], links[2] = {-1, -1};
    cr_assert(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0 && pipe2(err, O_CLOEXEC) == 0);
    cr_assert(!linked || pipe2(links, O_CLOEXEC) == 0);
    Bulkhead__StartContainer start = BULKHEAD__START_CONTAINER__INIT;
    start.spec = &container->spec;
    start.attachments = 1;
    PACKET(START_CONTAINER, start_container, &start);
    const int fds[] = {in[0], out[1], err[1], links[0]};
    bh_error_clear(&container->error);
    cr_assert_eq(bh_call_start(stage.channels[BH_ROLE_POLICYD], &packet.base, fds, linked ? 4 : 3, WAIT_MS,
                               &container->call, &container->error),
                 0);
    bh_close(&in[0]);
    bh_close(&out[1]);
    bh_close(&err[1]);
    bh_close(&links[0]);
    container->standard_input = in[1];
    container->output = out[0];
    container->errors = err[0];
    container->links = links[1];
}

int container_finish(struct container *container)
{
    bh_automessage struct bh_message *answer = NULL;
    int result = bh_call_next(container->call, &answer, &container->error);
    bh_call_free(container->call);
    container->call = NULL;
    bh_close(&container->links);
    if (result < 0) {
        bh_close(&container->standard_input);
        bh_close(&container->output);
        bh_close(&container->errors);
        return -1;
    }
    cr_assert_eq(answer->kind, BULKHEAD__EXECUTOR_TO_POLICYD__BODY_CONTAINER_STARTED);
    const Bulkhead__ContainerStarted *started = bh_message_body(answer);
    container->pid = started->pid;
    connect_monitor(&container->monitor, bh_message_take_fd(answer, 0));
    return 0;
}

int container_start(struct container *container)
{
    container_begin(container);
    return container_finish(container);
}

static int wait_for_exit(struct bh_channel *monitor)
{
    struct bh_error error;
    Bulkhead__WatchExit watch = BULKHEAD__WATCH_EXIT__INIT;
    Bulkhead__EngineToMonitor packet = BULKHEAD__ENGINE_TO_MONITOR__INIT;
    packet.body_case = BULKHEAD__ENGINE_TO_MONITOR__BODY_WATCH_EXIT;
    packet.watch_exit = &watch;
    bh_automessage struct bh_message *answer = NULL;
    cr_assert_eq(bh_call(monitor, &packet.base, NULL, 0, WAIT_MS, BULKHEAD__MONITOR_TO_ENGINE__BODY_CONTAINER_EXITED,
                         &answer, &error),
                 0, "wait: %s", error.message);
    const Bulkhead__ContainerExited *exited = bh_message_body(answer);
    return exited->exit_code;
}

int container_wait(struct container *container)
{
    return wait_for_exit(container->monitor);
}

static size_t read_into(int fd, char *output, size_t size, size_t used)
{
    char rest[4096];
    ssize_t n;
    while ((n = used + 1 < size ? read(fd, output + used, size - used - 1) : read(fd, rest, sizeof(rest))) > 0) {
        used += used + 1 < size ? (size_t)n : 0;
    }
    output[used] = '\0';
    return used;
}

void container_remove(struct container *container)
{
    struct bh_error error = {0};
    bh_close(&container->standard_input);
    bh_close(&container->output);
    bh_close(&container->errors);
    bh_channel_free(container->monitor);
    container->monitor = NULL;
    cr_expect_eq(ask_remove(container, &error), 0, "remove: %s", error.message);
}

int container_run(struct container *container, char *output, size_t size)
{
    output[0] = '\0';
    if (container_start(container) < 0) {
        struct bh_error error;
        (void)ask_remove(container, &error);
        return -1;
    }
    bh_close(&container->standard_input);
    size_t used = read_into(container->output, output, size, 0);
    (void)read_into(container->errors, output, size, used);
    int code = container_wait(container);
    container_remove(container);
    return code;
}

int run(const char *script, char *output, size_t size)
{
    struct container container;
    container_init(&container, script);
    int code = container_run(&container, output, size);
    cr_assert_geq(code, 0, "it did not start: %s", container.error.message);
    return code;
}

/* ---- questions -------------------------------------------------------------------------------------------- */

#define NAME(container)                                                                                                \
    Bulkhead__ContainerId name = BULKHEAD__CONTAINER_ID__INIT;                                                         \
    name.id = (container)->spec.id;                                                                                    \
    name.tenant_uid = (container)->spec.tenant_uid

static int call_done(Bulkhead__PolicydToExecutor *packet, struct bh_error *error)
{
    bh_automessage struct bh_message *answer = NULL;
    return call(packet, NULL, 0, BULKHEAD__EXECUTOR_TO_POLICYD__BODY_DONE, &answer, error);
}

static int call_fd(Bulkhead__PolicydToExecutor *packet, uint32_t kind, int *ret_fd, struct bh_error *error)
{
    bh_automessage struct bh_message *answer = NULL;
    if (call(packet, NULL, 0, kind, &answer, error) < 0) {
        return -1;
    }
    *ret_fd = bh_message_take_fd(answer, 0);
    return 0;
}

int ask_signal(const struct container *container, uint32_t number, struct bh_error *error)
{
    NAME(container);
    Bulkhead__SignalContainer message = BULKHEAD__SIGNAL_CONTAINER__INIT;
    message.container = &name;
    message.signal = number;
    PACKET(SIGNAL_CONTAINER, signal_container, &message);
    return call_done(&packet, error);
}

int ask_remove(const struct container *container, struct bh_error *error)
{
    NAME(container);
    Bulkhead__RemoveContainer message = BULKHEAD__REMOVE_CONTAINER__INIT;
    message.container = &name;
    PACKET(REMOVE_CONTAINER, remove_container, &message);
    return call_done(&packet, error);
}

int ask_freeze(const struct container *container, bool frozen, struct bh_error *error)
{
    NAME(container);
    Bulkhead__FreezeContainer message = BULKHEAD__FREEZE_CONTAINER__INIT;
    message.container = &name;
    message.frozen = frozen;
    PACKET(FREEZE_CONTAINER, freeze_container, &message);
    return call_done(&packet, error);
}

int ask_update(const struct container *container, Bulkhead__Resources *resources, struct bh_error *error)
{
    NAME(container);
    Bulkhead__UpdateContainer message = BULKHEAD__UPDATE_CONTAINER__INIT;
    message.container = &name;
    message.resources = resources;
    PACKET(UPDATE_CONTAINER, update_container, &message);
    return call_done(&packet, error);
}

int ask_monitor(const struct container *container, int *ret_fd, struct bh_error *error)
{
    NAME(container);
    Bulkhead__OpenMonitor message = BULKHEAD__OPEN_MONITOR__INIT;
    message.container = &name;
    PACKET(OPEN_MONITOR, open_monitor, &message);
    return call_fd(&packet, BULKHEAD__EXECUTOR_TO_POLICYD__BODY_MONITOR_OPENED, ret_fd, error);
}

int ask_log(const struct container *container, int *ret_fd, struct bh_error *error)
{
    NAME(container);
    Bulkhead__OpenLog message = BULKHEAD__OPEN_LOG__INIT;
    message.container = &name;
    PACKET(OPEN_LOG, open_log, &message);
    return call_fd(&packet, BULKHEAD__EXECUTOR_TO_POLICYD__BODY_LOG_OPENED, ret_fd, error);
}

int ask_inspect(const struct container *container, Bulkhead__ContainerFound *ret_found, struct bh_error *error)
{
    NAME(container);
    Bulkhead__InspectContainer message = BULKHEAD__INSPECT_CONTAINER__INIT;
    message.container = &name;
    PACKET(INSPECT_CONTAINER, inspect_container, &message);
    bh_automessage struct bh_message *answer = NULL;
    if (call(&packet, NULL, 0, BULKHEAD__EXECUTOR_TO_POLICYD__BODY_CONTAINER_FOUND, &answer, error) < 0) {
        return -1;
    }
    *ret_found = *(const Bulkhead__ContainerFound *)bh_message_body(answer);
    ret_found->container = NULL; /* the message's own */
    return 0;
}

int ask_list(const struct container *container, bool *ret_running)
{
    struct bh_error error;
    bh_autocall struct bh_call *listing = NULL;
    Bulkhead__ListContainers message = BULKHEAD__LIST_CONTAINERS__INIT;
    PACKET(LIST_CONTAINERS, list_containers, &message);
    cr_assert_eq(bh_call_start(stage.channels[BH_ROLE_POLICYD], &packet.base, NULL, 0, WAIT_MS, &listing, &error), 0);
    for (int n = 0;; n++) {
        bh_automessage struct bh_message *answer = NULL;
        cr_assert_eq(bh_call_next(listing, &answer, &error), 0, "list: %s", error.message);
        if (!answer->more) {
            return n;
        }
        const Bulkhead__ContainerFound *found = bh_message_body(answer);
        if (ret_running && memcmp(found->container->id.data, container->id, 32) == 0) {
            *ret_running = found->running;
        }
    }
}

/* ---- execs ---------------------------------------------------------------------------------------------- */

void exec_prepare(struct exec *exec, const struct container *container, const char *script)
{
    static char *env[] = {"PATH=/bin:/usr/bin"};
    *exec = (struct exec){.container = container,
                          .spec = BULKHEAD__EXEC_SPEC__INIT,
                          .exec = BULKHEAD__EXEC_ID__INIT,
                          .owner = BULKHEAD__CONTAINER_ID__INIT,
                          .process = BULKHEAD__PROCESS__INIT,
                          .args = {"/bin/sh", "-c", (char *)(uintptr_t)script},
                          .standard_input = -1,
                          .output = -1,
                          .errors = -1};
    cr_assert_eq(getrandom(exec->id, sizeof(exec->id), 0), (ssize_t)sizeof(exec->id));
    exec->owner.id = container->spec.id;
    exec->owner.tenant_uid = container->spec.tenant_uid;
    exec->exec.id = (ProtobufCBinaryData){.len = 32, .data = exec->id};
    exec->exec.container = &exec->owner;
    exec->spec.exec = &exec->exec;
    exec->spec.process = &exec->process;
    exec->process.args = exec->args;
    exec->process.n_args = 3;
    exec->process.env = env;
    exec->process.n_env = 1;
    exec->process.open_stdin = true;
    exec->process.stdin_once = true;
}

int exec_start(struct exec *exec)
{
    int in[2], out[2], err[2];
    cr_assert(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0 && pipe2(err, O_CLOEXEC) == 0);
    Bulkhead__StartExec start = BULKHEAD__START_EXEC__INIT;
    start.spec = &exec->spec;
    start.attachments = 1;
    PACKET(START_EXEC, start_exec, &start);
    bh_automessage struct bh_message *answer = NULL;
    const int fds[] = {in[0], out[1], err[1]};
    int result = call(&packet, fds, 3, BULKHEAD__EXECUTOR_TO_POLICYD__BODY_CONTAINER_STARTED, &answer, &exec->error);
    bh_close(&in[0]);
    bh_close(&out[1]);
    bh_close(&err[1]);
    exec->standard_input = in[1];
    exec->output = out[0];
    exec->errors = err[0];
    if (result < 0) {
        exec_forget(exec);
        return -1;
    }
    const Bulkhead__ContainerStarted *started = bh_message_body(answer);
    exec->pid = started->pid;
    connect_monitor(&exec->monitor, bh_message_take_fd(answer, 0));
    return 0;
}

int exec_wait(struct exec *exec)
{
    return wait_for_exit(exec->monitor);
}

int exec_wait_on(int fd)
{
    struct bh_channel *monitor = NULL;
    connect_monitor(&monitor, fd);
    int code = wait_for_exit(monitor);
    bh_channel_free(monitor);
    return code;
}

void exec_forget(struct exec *exec)
{
    bh_close(&exec->standard_input);
    bh_close(&exec->output);
    bh_close(&exec->errors);
    bh_channel_free(exec->monitor);
    exec->monitor = NULL;
}

int exec_run(struct exec *exec, char *output, size_t size)
{
    struct bh_error error = {0};
    output[0] = '\0';
    if (exec_start(exec) < 0) {
        return -1;
    }
    bh_close(&exec->standard_input);
    size_t used = read_into(exec->output, output, size, 0);
    (void)read_into(exec->errors, output, size, used);
    int code = exec_wait(exec);
    exec_forget(exec);
    cr_expect_eq(ask_exec_remove(exec, &error), 0, "remove: %s", error.message);
    return code;
}

int ask_exec(const struct exec *exec, Bulkhead__ExecFound *ret_found, struct bh_error *error)
{
    Bulkhead__InspectExec inspect = BULKHEAD__INSPECT_EXEC__INIT;
    inspect.exec = (Bulkhead__ExecId *)(uintptr_t)&exec->exec;
    PACKET(INSPECT_EXEC, inspect_exec, &inspect);
    bh_automessage struct bh_message *answer = NULL;
    if (call(&packet, NULL, 0, BULKHEAD__EXECUTOR_TO_POLICYD__BODY_EXEC_FOUND, &answer, error) < 0) {
        return -1;
    }
    *ret_found = *(const Bulkhead__ExecFound *)bh_message_body(answer);
    return 0;
}

int ask_exec_signal(const struct exec *exec, uint32_t number, struct bh_error *error)
{
    Bulkhead__SignalExec signal = BULKHEAD__SIGNAL_EXEC__INIT;
    signal.exec = (Bulkhead__ExecId *)(uintptr_t)&exec->exec;
    signal.signal = number;
    PACKET(SIGNAL_EXEC, signal_exec, &signal);
    return call(&packet, NULL, 0, BULKHEAD__EXECUTOR_TO_POLICYD__BODY_DONE, NULL, error);
}

int ask_exec_remove(const struct exec *exec, struct bh_error *error)
{
    Bulkhead__RemoveExec remove = BULKHEAD__REMOVE_EXEC__INIT;
    remove.exec = (Bulkhead__ExecId *)(uintptr_t)&exec->exec;
    PACKET(REMOVE_EXEC, remove_exec, &remove);
    return call(&packet, NULL, 0, BULKHEAD__EXECUTOR_TO_POLICYD__BODY_DONE, NULL, error);
}

int ask_exec_monitor(const struct exec *exec, int *ret_fd, struct bh_error *error)
{
    Bulkhead__OpenExecMonitor open = BULKHEAD__OPEN_EXEC_MONITOR__INIT;
    open.exec = (Bulkhead__ExecId *)(uintptr_t)&exec->exec;
    PACKET(OPEN_EXEC_MONITOR, open_exec_monitor, &open);
    bh_automessage struct bh_message *answer = NULL;
    if (call(&packet, NULL, 0, BULKHEAD__EXECUTOR_TO_POLICYD__BODY_MONITOR_OPENED, &answer, error) < 0) {
        return -1;
    }
    *ret_fd = bh_message_take_fd(answer, 0);
    return 0;
}

/* ---- looking ------------------------------------------------------------------------------------------------ */

static ProtobufCMessage *copy_of(const ProtobufCMessage *message)
{
    size_t n = protobuf_c_message_get_packed_size(message);
    uint8_t *bytes = malloc(n + 1);
    cr_assert_not_null(bytes);
    (void)protobuf_c_message_pack(message, bytes);
    ProtobufCMessage *copy = protobuf_c_message_unpack(message->descriptor, NULL, n, bytes);
    free(bytes);
    cr_assert_not_null(copy);
    return copy;
}

int ask_stats(const struct container *container, Bulkhead__StatsRead **ret_stats, int *ret_network,
              struct bh_error *error)
{
    bh_automessage struct bh_message *answer = NULL;
    NAME(container);
    Bulkhead__ReadStats message = BULKHEAD__READ_STATS__INIT;
    message.container = &name;
    PACKET(READ_STATS, read_stats, &message);
    if (call(&packet, NULL, 0, BULKHEAD__EXECUTOR_TO_POLICYD__BODY_STATS_READ, &answer, error) < 0) {
        return -1;
    }
    *ret_network = answer->n_fds > 0 ? bh_message_take_fd(answer, 0) : -1;
    *ret_stats = (Bulkhead__StatsRead *)copy_of(bh_message_body(answer));
    return 0;
}

int ask_processes(const struct container *container, uint32_t *ret_n, int *ret_fd, struct bh_error *error)
{
    bh_automessage struct bh_message *answer = NULL;
    NAME(container);
    Bulkhead__ListProcesses message = BULKHEAD__LIST_PROCESSES__INIT;
    message.container = &name;
    PACKET(LIST_PROCESSES, list_processes, &message);
    if (call(&packet, NULL, 0, BULKHEAD__EXECUTOR_TO_POLICYD__BODY_PROCESSES_LISTED, &answer, error) < 0) {
        return -1;
    }
    const Bulkhead__ProcessesListed *listed = bh_message_body(answer);
    *ret_n = listed->processes;
    *ret_fd = bh_message_take_fd(answer, 0);
    return 0;
}

int ask_kernel(Bulkhead__KernelDescribed **ret_kernel, struct bh_error *error)
{
    bh_automessage struct bh_message *answer = NULL;
    Bulkhead__DescribeKernel message = BULKHEAD__DESCRIBE_KERNEL__INIT;
    PACKET(DESCRIBE_KERNEL, describe_kernel, &message);
    if (call(&packet, NULL, 0, BULKHEAD__EXECUTOR_TO_POLICYD__BODY_KERNEL_DESCRIBED, &answer, error) < 0) {
        return -1;
    }
    *ret_kernel = (Bulkhead__KernelDescribed *)copy_of(bh_message_body(answer));
    return 0;
}
