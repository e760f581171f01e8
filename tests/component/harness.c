/* SPDX-License-Identifier: Apache-2.0
 *
 * Plays the supervisor for one real helper; see harness.h.
 */
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/close_range.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/io.h"

#define READY_TIMEOUT_MS 10000
#define STOP_TIMEOUT_MS  5000

/* Ranges of the tests' own, far from those of a running engine. */
#define TEST_UID_BASE 0x6fee0000U

static void die(const char *what, const struct bh_error *error)
{
    char text[1024] = "";
    (void)fprintf(stderr, "harness: %s: %s\n", what,
                  error ? bh_error_format(error, text, sizeof(text)) : strerror(errno));
    abort();
}

static void execute(const char *program, int control)
{
    char path[PATH_MAX];
    char *const arguments[] = {path, NULL};
    (void)snprintf(path, sizeof(path), "%s/%s", getenv("BH_BIN") ? getenv("BH_BIN") : ".", program);
    int null = open("/dev/null", O_RDWR);
    if (dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 || dup2(control, BH_CONTROL_FD) < 0 ||
        close_range(BH_CONTROL_FD + 1, UINT_MAX, 0) < 0) {
        _exit(126);
    }
    /* The leak checker needs /proc, which no sandbox has: in there it would only fail. */
    (void)setenv("ASAN_OPTIONS", "detect_leaks=0:abort_on_error=1", 1);
    (void)execv(path, arguments);
    perror(path);
    _exit(127);
}

static void tell(const struct harness *harness, enum bh_control_kind kind, enum bh_role role, uint32_t tenant_uid,
                 uint64_t value, int fd)
{
    const struct bh_control record = {
        .kind = (uint32_t)kind, .role = (uint32_t)role, .tenant_uid = tenant_uid, .value = value};
    struct bh_error error;
    if (bh_control_send(harness->control, &record, fd, &error) < 0) {
        die("control", &error);
    }
}

static void send_config(const struct harness *harness, const struct harness_options *options)
{
    static char version[] = "test", host_name[] = "test-host", cgroup[] = "bulkhead-test", prefix[] = "bt", loopback[] = "127.0.0.0/8";
    static char *insecure[] = {loopback};
    Bulkhead__Config config = BULKHEAD__CONFIG__INIT;
    config.version = version;
    config.log_level = getenv("BH_TEST_DEBUG") ? 3 : 0;
    config.uid_base = TEST_UID_BASE;
    config.api_uid_base = TEST_UID_BASE + 0x1000;
    config.monitor_uid_base = TEST_UID_BASE + 0x2000;
    config.tenant_id_base = 0x6f000000;
    config.tenant_id_count = 100;
    config.cgroup_parent = cgroup;
    config.link_prefix = prefix;
    config.insecure_registries = insecure;
    config.n_insecure_registries = 1;
    config.host_name = host_name;
    config.state_path = (char *)(uintptr_t)harness->folder;
    config.uid = TEST_UID_BASE + (uint32_t)options->role;
    config.gid = config.uid;
    config.engine_gid = TEST_UID_BASE + BH_ROLE_ENGINE;
    config.store_uid = TEST_UID_BASE + BH_ROLE_STORE;
    if (options->configure) {
        options->configure(&config);
    }
    size_t n_bytes = bulkhead__config__get_packed_size(&config);
    bh_autofree uint8_t *bytes = malloc(n_bytes + 1);
    (void)bulkhead__config__pack(&config, bytes);
    bh_autoclose int memfd = -1;
    struct bh_error error;
    if (bh_memfd_sealed("config", bytes, n_bytes, &memfd, &error) < 0) {
        die("config", &error);
    }
    tell(harness, BH_CONTROL_CONFIG, BH_ROLE_NONE, options->tenant_uid, 0, memfd);
}

/* Whoever owns a folder in the real wiring owns it here. */
static uint32_t owner_of(enum bh_folder folder, enum bh_role role)
{
    switch (folder) {
    case BH_FOLDER_STATE:
        return TEST_UID_BASE + (uint32_t)role;
    case BH_FOLDER_LAYERS:
        return TEST_UID_BASE + BH_ROLE_STORE;
    default:
        return 0;
    }
}

static void send_folder(const struct harness *harness, const struct harness_options *options, enum bh_folder folder)
{
    char path[PATH_MAX];
    bh_autoclose int fd = -1;
    if (folder == BH_FOLDER_LIBEXEC) {
        fd = open(getenv("BH_BIN") ? getenv("BH_BIN") : ".", O_DIRECTORY | O_PATH | O_CLOEXEC);
    } else {
        uint32_t owner = owner_of(folder, options->role);
        mode_t mode = folder == BH_FOLDER_LOGS || folder == BH_FOLDER_POLICY || folder == BH_FOLDER_CERTS ? 0755 : 0700;
        (void)snprintf(path, sizeof(path), "%s/%d", harness->folder, (int)folder);
        if ((mkdir(path, mode) < 0 && errno != EEXIST) || chown(path, owner, owner) < 0 || chmod(path, mode) < 0) {
            die(path, NULL);
        }
        fd = open(path, O_DIRECTORY | O_PATH | O_CLOEXEC);
    }
    if (fd < 0) {
        die("folder", NULL);
    }
    tell(harness, BH_CONTROL_FOLDER, BH_ROLE_NONE, 0, (uint64_t)folder, fd);
}

static void send_peer(struct harness *harness, const struct harness_options *options, enum bh_role peer)
{
    int ends[2];
    struct bh_error error;
    if (bh_channel_pair(ends, &error) < 0) {
        die("pair", &error);
    }
    harness->peers[peer] = ends[0];
    tell(harness, BH_CONTROL_PEER, peer, options->tenant_uid, 0, ends[1]);
    bh_close(&ends[1]);
}

static void await_ready(const struct harness *harness, const char *program)
{
    struct pollfd wait = {.fd = harness->control, .events = POLLIN};
    struct bh_control record;
    struct bh_error error;
    int fd = -1;
    if (poll(&wait, 1, READY_TIMEOUT_MS) != 1 || bh_control_receive(harness->control, &record, &fd, &error) != 1 ||
        record.kind != BH_CONTROL_READY) {
        (void)fprintf(stderr, "harness: %s did not say READY\n", program);
        abort();
    }
}

void harness_start(struct harness *harness, const struct harness_options *options)
{
    int ends[2];
    bool again = harness->folder[0] != '\0'; /* a restart on the same folders */
    char folder[sizeof(harness->folder)];
    memcpy(folder, harness->folder, sizeof(folder));
    *harness = (struct harness){.control = -1};
    for (int role = 0; role < BH_ROLE_COUNT; role++) {
        harness->peers[role] = -1;
    }
    (void)snprintf(harness->folder, sizeof(harness->folder), "%s", again ? folder : "/tmp/bh-XXXXXX");
    if ((!again && !mkdtemp(harness->folder)) || chmod(harness->folder, 0755) < 0 ||
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
        die("prepare", NULL);
    }
    (void)signal(SIGPIPE, SIG_IGN);
    harness->control = ends[0];
    harness->pid = fork();
    if (harness->pid < 0) {
        die("fork", NULL);
    }
    if (harness->pid == 0) {
        (void)setenv("BH_BIN", BH_HARNESS_BIN, 0);
        execute(options->program, ends[1]);
    }
    (void)setenv("BH_BIN", BH_HARNESS_BIN, 0);
    bh_close(&ends[1]);
    send_config(harness, options);
    for (size_t i = 0; i < 8 && options->folders[i]; i++) {
        send_folder(harness, options, options->folders[i]);
    }
    for (size_t i = 0; i < 8 && options->peers[i] != BH_ROLE_NONE; i++) {
        send_peer(harness, options, options->peers[i]);
    }
    tell(harness, BH_CONTROL_GO, BH_ROLE_NONE, 0, 0, -1);
    await_ready(harness, options->program);
}

struct bh_channel *harness_channel(struct harness *harness, enum bh_role role, const struct bh_protocol *protocol)
{
    struct bh_error error;
    if (!harness->channels[role]) {
        if (bh_channel_new(protocol, harness, &harness->channels[role], &error) < 0 ||
            bh_channel_wire(harness->channels[role], bh_steal_fd(&harness->peers[role]), &error) < 0) {
            die("channel", &error);
        }
    }
    return harness->channels[role];
}

int harness_folder(const struct harness *harness, enum bh_folder folder)
{
    char path[PATH_MAX];
    (void)snprintf(path, sizeof(path), "%s/%d", harness->folder, (int)folder);
    int fd = open(path, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        die(path, NULL);
    }
    return fd;
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *place)
{
    (void)status;
    (void)type;
    (void)place;
    return remove(path);
}

int harness_stop(struct harness *harness)
{
    int status = -1;
    const struct bh_control record = {.kind = BH_CONTROL_STOP};
    (void)bh_control_send(harness->control, &record, -1, NULL);
    uint64_t until = bh_now_ms() + STOP_TIMEOUT_MS;
    while (waitpid(harness->pid, &status, WNOHANG) == 0) {
        if (bh_now_ms() > until) {
            (void)kill(harness->pid, SIGKILL);
        }
        (void)poll(NULL, 0, 5);
    }
    for (int role = 0; role < BH_ROLE_COUNT; role++) {
        bh_channel_free(harness->channels[role]);
        harness->channels[role] = NULL;
        bh_close(&harness->peers[role]);
    }
    bh_close(&harness->control);
    /* A removal that was under way goes on without its helper, and works on the same files. */
    until = bh_now_ms() + STOP_TIMEOUT_MS;
    while (nftw(harness->folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) != 0 &&
           access(harness->folder, F_OK) == 0 && bh_now_ms() < until) {
        (void)poll(NULL, 0, 20);
    }
    harness->folder[0] = '\0';
    return status;
}
