/* SPDX-License-Identifier: Apache-2.0
 *
 * The executor's part in the monitor's tests; see stage.h.
 */
#include "stage.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <pty.h>
#include <seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <ftw.h>

#include "common/cleanup.h"
#include "common/io.h"
#include "common/monitor_syscalls.h"
#include "engine_monitor.pb-c.h"

const struct bh_protocol stage_protocol = {
    .name = "engine_monitor",
    .incoming = &bulkhead__monitor_to_engine__descriptor,
    .outgoing = &bulkhead__engine_to_monitor__descriptor,
};

/* Compiles the monitor's list as the executor does. */
static struct sock_filter *compile_filter(size_t *ret_count)
{
    scmp_filter_ctx context = seccomp_init(SCMP_ACT_KILL_PROCESS);
    for (const char *const *name = bh_monitor_syscalls; *name; name++) {
        int number = seccomp_syscall_resolve_name(*name);
        if (number >= 0) {
            cr_assert_eq(seccomp_rule_add(context, SCMP_ACT_ALLOW, number, 0), 0, "%s", *name);
        }
    }
    for (size_t i = 0; bh_monitor_some_uses[i].name; i++) {
        const struct scmp_arg_cmp comparison = {.arg = bh_monitor_some_uses[i].argument,
                                                .op = SCMP_CMP_MASKED_EQ,
                                                .datum_a = bh_monitor_some_uses[i].mask,
                                                .datum_b = bh_monitor_some_uses[i].value};
        int number = seccomp_syscall_resolve_name(bh_monitor_some_uses[i].name);
        cr_assert_eq(seccomp_rule_add_array(context, SCMP_ACT_ALLOW, number, 1, &comparison), 0);
    }
    bh_autoclose int fd = memfd_create("filter", MFD_CLOEXEC);
    cr_assert_eq(seccomp_export_bpf(context, fd), 0);
    seccomp_release(context);
    off_t n_bytes = lseek(fd, 0, SEEK_END);
    struct sock_filter *filter = malloc((size_t)n_bytes);
    cr_assert_eq(pread(fd, filter, (size_t)n_bytes, 0), n_bytes);
    *ret_count = (size_t)n_bytes / sizeof(*filter);
    return filter;
}

static int make_start(const struct stage_options *options, pid_t container)
{
    struct bh_monitor_start start = options->start;
    start.log_driver = start.log_driver ? start.log_driver : BH_LOG_DRIVER_NONE;
    size_t count = 0;
    bh_autofree struct sock_filter *filter = compile_filter(&count);
    start.magic = BH_MONITOR_MAGIC;
    start.pid = container;
    start.attachments = options->attach ? 1 : 0;
    start.filter_count = (uint32_t)count;
    memset(start.container_id, 0xab, sizeof(start.container_id));
    start.journal_bytes = options->journal_fields ? (uint32_t)strlen(options->journal_fields) : 0;
    size_t n_bytes = sizeof(start) + count * sizeof(*filter) + start.journal_bytes;
    bh_autofree char *bytes = malloc(n_bytes);
    memcpy(bytes, &start, sizeof(start));
    memcpy(bytes + sizeof(start), filter, count * sizeof(*filter));
    memcpy(bytes + n_bytes - start.journal_bytes, options->journal_fields ? options->journal_fields : "",
           start.journal_bytes);
    int fd = -1;
    struct bh_error error;
    cr_assert_eq(bh_memfd_sealed("start", bytes, n_bytes, &fd, &error), 0, "%s", error.message);
    return fd;
}

/* Puts `fds[i]` at descriptor `first + i` and closes everything else but 2. */
static void arrange(const int *fds, size_t n, int first)
{
    int safe[32];
    for (size_t i = 0; i < n; i++) {
        safe[i] = fcntl(fds[i], F_DUPFD, 100);
    }
    for (size_t i = 0; i < n; i++) {
        dup2(safe[i], first + (int)i);
    }
    close(0);
    close(1);
    syscall(SYS_close_range, first + (int)n, ~0U, 0);
}

struct ends {
    int in[2], out[2], err[2];
};

static void open_streams(const struct stage_options *options, struct ends *ends)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (options->start.tty) {
        int master = -1;
        int slave = -1;
        cr_assert_eq(openpty(&master, &slave, NULL, NULL, NULL), 0);
        *ends = (struct ends){{slave, dup(master)}, {master, dup(slave)}, {null, dup(slave)}};
        return;
    }
    cr_assert_eq(pipe(ends->out), 0);
    cr_assert_eq(pipe(ends->err), 0);
    if (options->start.open_stdin) {
        cr_assert_eq(pipe(ends->in), 0);
        close(null);
    } else {
        ends->in[0] = null;
        ends->in[1] = dup(null);
    }
}

static void become_container(const struct stage_options *options, const struct ends *ends)
{
    const int fds[] = {ends->in[0], ends->out[1], ends->err[1]};
    int safe[3];
    for (int i = 0; i < 3; i++) {
        safe[i] = fcntl(fds[i], F_DUPFD, 100);
    }
    for (int i = 0; i < 3; i++) {
        dup2(safe[i], i);
    }
    syscall(SYS_close_range, 3, ~0U, 0);
    if (options->start.tty) {
        setsid();
    }
    _exit(options->container(options->argument));
}

static int listener_in(const struct stage *stage)
{
    int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/monitor.sock", stage->folder);
    cr_assert_eq(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0, "%s", strerror(errno));
    cr_assert_eq(listen(listener, 16), 0);
    return listener;
}

void stage_start(struct stage *stage, const struct stage_options *options)
{
    *stage = (struct stage){.terminal = -1, .client_stdin = -1, .client_stdout = -1, .client_stderr = -1};
    strcpy(stage->folder, "/tmp/bh-monitor-XXXXXX");
    cr_assert(mkdtemp(stage->folder));
    char logs[96];
    (void)snprintf(logs, sizeof(logs), "%s/logs", stage->folder);
    cr_assert_eq(mkdir(logs, 0750), 0);
    stage->logs = open(options->log_folder ? options->log_folder : logs, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int listener = listener_in(stage);
    int pair[2];
    struct bh_error error = {0};
    cr_assert_eq(bh_channel_pair(pair, &error), 0);
    struct ends ends;
    open_streams(options, &ends);
    int client[3][2];
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(pipe2(client[i], O_CLOEXEC), 0);
    }
    int told[2]; /* the container's pid */
    cr_assert_eq(pipe2(told, O_CLOEXEC), 0);

    stage->monitor = fork();
    if (stage->monitor == 0) {
        pid_t container = fork();
        if (container == 0) {
            become_container(options, &ends);
        }
        (void)!write(told[1], &container, sizeof(container));
        int pidfd = (int)syscall(SYS_pidfd_open, container, 0);
        int null = open("/dev/null", O_RDWR);
        const int fds[] = {make_start(options, container),
                           stage->logs,
                           listener,
                           pair[1],
                           pidfd,
                           ends.in[1],
                           ends.out[0],
                           ends.err[0],
                           options->oom_fd > 0 ? options->oom_fd : null,
                           options->journal_fd > 0 ? options->journal_fd : null,
                           client[0][0],
                           client[1][1],
                           client[2][1]};
        arrange(fds, options->attach ? 13 : 10, BH_MONITOR_FD_START);
        char *const arguments[] = {(char *)"bulkhead-monitor", NULL};
        char *const environment[] = {NULL};
        (void)execve(BH_BIN "/bulkhead-monitor", arguments, environment);
        _exit(99);
    }
    cr_assert_eq(read(told[0], &stage->container, sizeof(pid_t)), (ssize_t)sizeof(pid_t));
    const int unwanted[] = {told[0],     told[1],     listener,    pair[1],      ends.in[0],   ends.in[1],  ends.out[0],
                            ends.out[1], ends.err[0], ends.err[1], client[0][0], client[1][1], client[2][1]};
    for (size_t i = 0; i < sizeof(unwanted) / sizeof(unwanted[0]); i++) {
        close(unwanted[i]);
    }
    stage->client_stdin = client[0][1];
    stage->client_stdout = client[1][0];
    stage->client_stderr = client[2][0];
    if (!options->attach) {
        bh_close(&stage->client_stdin);
        bh_close(&stage->client_stdout);
        bh_close(&stage->client_stderr);
    }
    stage->first = pair[0];
    cr_assert_eq(bh_channel_new(&stage_protocol, NULL, &stage->channel, &error), 0);
    cr_assert_eq(bh_channel_wire(stage->channel, pair[0], &error), 0);
}

struct bh_channel *stage_connect(const struct stage *stage)
{
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/monitor.sock", stage->folder);
    cr_assert_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0, "%s", strerror(errno));
    struct bh_channel *channel = NULL;
    struct bh_error error = {0};
    cr_assert_eq(bh_channel_new(&stage_protocol, NULL, &channel, &error), 0);
    cr_assert_eq(bh_channel_wire(channel, fd, &error), 0);
    return channel;
}

int stage_wait_exit(struct stage *stage, bool *ret_oom)
{
    Bulkhead__WatchExit watch = BULKHEAD__WATCH_EXIT__INIT;
    Bulkhead__EngineToMonitor packet = BULKHEAD__ENGINE_TO_MONITOR__INIT;
    packet.body_case = BULKHEAD__ENGINE_TO_MONITOR__BODY_WATCH_EXIT;
    packet.watch_exit = &watch;
    bh_automessage struct bh_message *answer = NULL;
    struct bh_error error = {0};
    cr_assert_eq(bh_call(stage->channel, &packet.base, NULL, 0, 60000,
                         BULKHEAD__MONITOR_TO_ENGINE__BODY_CONTAINER_EXITED, &answer, &error),
                 0, "%s", error.message);
    const Bulkhead__ContainerExited *exited = bh_message_body(answer);
    if (ret_oom) {
        *ret_oom = exited->oom_killed;
    }
    cr_assert_gt(exited->finished_at_ns, 0);
    return exited->exit_code;
}

int stage_join(struct stage *stage)
{
    int status = 0;
    cr_assert_eq(waitpid(stage->monitor, &status, 0), stage->monitor);
    stage->monitor = 0;
    return status;
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status;
    (void)type;
    (void)walk;
    return remove(path);
}

void stage_end(struct stage *stage)
{
    if (stage->monitor > 0) {
        kill(stage->monitor, SIGKILL);
        (void)stage_join(stage);
    }
    bh_channel_free(stage->channel);
    bh_close(&stage->logs);
    bh_close(&stage->client_stdin);
    bh_close(&stage->client_stdout);
    bh_close(&stage->client_stderr);
    (void)nftw(stage->folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

char *stage_read(const struct stage *stage, const char *name, size_t *ret_bytes)
{
    bh_autoclose int fd = openat(stage->logs, name, O_RDONLY | O_CLOEXEC);
    char *text = NULL;
    size_t n_bytes = 0;
    struct bh_error error = {0};
    if (fd < 0 || bh_read_file(fd, 512 * BH_MIB, &text, &n_bytes, name, &error) < 0) {
        return NULL;
    }
    if (ret_bytes) {
        *ret_bytes = n_bytes;
    }
    return text;
}

bool stage_record(const struct stage *stage, struct bh_exit_record *ret_record)
{
    bh_autoclose int fd = openat(stage->logs, "exit", O_RDONLY | O_CLOEXEC);
    return fd >= 0 && read(fd, ret_record, sizeof(*ret_record)) == (ssize_t)sizeof(*ret_record);
}

void stage_attach(struct bh_channel *channel, int ret_ends[3])
{
    int in[2];
    int out[2];
    int err[2];
    cr_assert_eq(pipe2(in, O_CLOEXEC) | pipe2(out, O_CLOEXEC) | pipe2(err, O_CLOEXEC), 0);
    Bulkhead__AttachStreams attach = BULKHEAD__ATTACH_STREAMS__INIT;
    Bulkhead__EngineToMonitor packet = BULKHEAD__ENGINE_TO_MONITOR__INIT;
    packet.body_case = BULKHEAD__ENGINE_TO_MONITOR__BODY_ATTACH_STREAMS;
    packet.attach_streams = &attach;
    const int fds[3] = {in[0], out[1], err[1]};
    bh_automessage struct bh_message *answer = NULL;
    struct bh_error error = {0};
    cr_assert_eq(bh_call(channel, &packet.base, fds, 3, 10000, BULKHEAD__MONITOR_TO_ENGINE__BODY_STREAMS_ATTACHED,
                         &answer, &error),
                 0, "%s", error.message);
    close(in[0]);
    close(out[1]);
    close(err[1]);
    ret_ends[0] = in[1];
    ret_ends[1] = out[0];
    ret_ends[2] = err[0];
}
