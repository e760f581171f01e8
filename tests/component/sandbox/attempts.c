/* SPDX-License-Identifier: Apache-2.0
 *
 * The forbidden things; see attempts.h.
 */
#include "attempts.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/bpf.h>
#include <linux/io_uring.h>
#include <linux/keyctl.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int result_of(long result)
{
    return result < 0 ? errno : 0;
}

static int fd_result(int fd)
{
    if (fd < 0) {
        return errno;
    }
    (void)close(fd);
    return 0;
}

static int open_for_reading(const struct targets *targets)
{
    return fd_result(open(targets->file, O_RDONLY | O_CLOEXEC));
}

static int open_for_writing(const struct targets *targets)
{
    return fd_result(open(targets->file, O_WRONLY | O_CLOEXEC));
}

static int create_file(const struct targets *targets)
{
    char path[96];
    (void)snprintf(path, sizeof(path), "%s.new", targets->file);
    int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    int result = fd_result(fd);
    (void)unlink(path);
    return result;
}

static int walk_out_of_the_root(const struct targets *targets)
{
    char path[160];
    (void)snprintf(path, sizeof(path), "../../../../../../../..%s", targets->file);
    return fd_result(open(path, O_RDONLY | O_CLOEXEC));
}

static int open_memory_of_another(const struct targets *targets)
{
    return fd_result(openat(targets->victim_proc, "mem", O_RDWR | O_CLOEXEC));
}

static int open_own_memory(const struct targets *targets)
{
    (void)targets;
    return fd_result(open("/proc/self/mem", O_RDWR | O_CLOEXEC));
}

static int make_tcp_socket(const struct targets *targets)
{
    (void)targets;
    return fd_result(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

static int make_unix_socket(const struct targets *targets)
{
    (void)targets;
    return fd_result(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

static int make_raw_socket(const struct targets *targets)
{
    (void)targets;
    return fd_result(socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP));
}

static int make_netlink_socket(const struct targets *targets)
{
    (void)targets;
    return fd_result(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
}

static int make_generic_netlink_socket(const struct targets *targets)
{
    (void)targets;
    return fd_result(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC));
}

static int enter_network_namespace(const struct targets *targets)
{
    return result_of(setns(targets->victim_net, CLONE_NEWNET));
}

/* Runs `try` in a vfork()ed child so that an execve that works does not end us. */
static int execute(const struct targets *targets)
{
    (void)targets;
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) {
        return errno;
    }
    pid_t pid = fork();
    if (pid == 0) {
        char *const arguments[] = {(char *)(unsigned long)"true", NULL};
        (void)execv("/bin/true", arguments);
        int failure = errno;
        (void)!write(ends[1], &failure, sizeof(failure));
        _exit(1);
    }
    if (pid < 0) {
        /* Cannot even fork: try in place. Nothing is lost, the caller is a child of the test itself. */
        char *const arguments[] = {(char *)(unsigned long)"true", NULL};
        (void)execv("/bin/true", arguments);
        return errno;
    }
    (void)close(ends[1]);
    int failure = 0;
    if (read(ends[0], &failure, sizeof(failure)) != (ssize_t)sizeof(failure)) {
        failure = 0;
    }
    (void)close(ends[0]);
    (void)waitpid(pid, NULL, 0);
    return failure;
}

static int trace_another(const struct targets *targets)
{
    int result = result_of(ptrace(PTRACE_SEIZE, targets->victim, NULL, NULL));
    if (result == 0) {
        (void)ptrace(PTRACE_INTERRUPT, targets->victim, NULL, NULL);
        (void)waitpid(targets->victim, NULL, __WALL);
        (void)ptrace(PTRACE_DETACH, targets->victim, NULL, NULL);
    }
    return result;
}

static int signal_another(const struct targets *targets)
{
    return result_of(kill(targets->victim, 0));
}

static int renice_another(const struct targets *targets)
{
    return result_of(setpriority(PRIO_PROCESS, (id_t)targets->victim, 0));
}

static int mount_something(const struct targets *targets)
{
    int result = result_of(mount("none", targets->folder, "tmpfs", 0, NULL));
    if (result == 0) {
        (void)umount2(targets->folder, MNT_DETACH);
    }
    return result;
}

static int open_a_file_system(const struct targets *targets)
{
    (void)targets;
    return fd_result((int)syscall(SYS_fsopen, "tmpfs", 0));
}

static int make_user_namespace(const struct targets *targets)
{
    (void)targets;
    return result_of(unshare(CLONE_NEWUSER));
}

static int make_mount_namespace(const struct targets *targets)
{
    (void)targets;
    return result_of(unshare(CLONE_NEWNS));
}

static int change_root(const struct targets *targets)
{
    (void)targets;
    return result_of(chroot("/"));
}

static int become_root(const struct targets *targets)
{
    (void)targets;
    return result_of(setresuid(0, 0, 0));
}

static int change_groups(const struct targets *targets)
{
    (void)targets;
    return result_of(setgroups(0, NULL));
}

static int make_device(const struct targets *targets)
{
    char path[96];
    (void)snprintf(path, sizeof(path), "%s.dev", targets->file);
    int result = result_of(mknod(path, S_IFCHR | 0600, 0x103));
    (void)unlink(path);
    return result;
}

static int load_program(const struct targets *targets)
{
    (void)targets;
    union bpf_attr attributes = {.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1};
    return fd_result((int)syscall(SYS_bpf, BPF_MAP_CREATE, &attributes, sizeof(attributes)));
}

static int use_keyring(const struct targets *targets)
{
    (void)targets;
    return result_of(syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, -3, 0));
}

static int set_host_name(const struct targets *targets)
{
    char name[65] = "";
    (void)targets;
    (void)gethostname(name, sizeof(name) - 1);
    return result_of(sethostname(name, strlen(name)));
}

static int read_memory_of_another(const struct targets *targets)
{
    char byte;
    struct iovec ours = {.iov_base = &byte, .iov_len = 1};
    struct iovec theirs = {.iov_base = &byte,
                           .iov_len = 1}; /* forked from us: the same stack address is mapped there */
    return result_of(syscall(SYS_process_vm_readv, targets->victim, &ours, 1, &theirs, 1, 0));
}

static int fork_with_namespaces(const struct targets *targets)
{
    (void)targets;
    long pid = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
    if (pid == 0) {
        _exit(0);
    }
    int result = result_of(pid);
    if (pid > 0) {
        (void)waitpid((pid_t)pid, NULL, 0);
    }
    return result;
}

static int fork_plainly(const struct targets *targets)
{
    (void)targets;
    pid_t pid = fork();
    if (pid == 0) {
        _exit(0);
    }
    int result = result_of(pid);
    if (pid > 0) {
        (void)waitpid(pid, NULL, 0);
    }
    return result;
}

const struct attempt attempts[] = {
    {"open a host file for reading", open_for_reading, false, false, false},
    {"open a host file for writing", open_for_writing, false, false, false},
    {"create a host file", create_file, false, false, false},
    {"walk out of the root with ..", walk_out_of_the_root, false, false, false},
    {"open another process's memory through a leaked /proc folder", open_memory_of_another, false, false, false},
    {"open /proc/self/mem", open_own_memory, false, false, false},
    {"make a TCP socket", make_tcp_socket, true, false, false},
    {"make a unix socket", make_unix_socket, false, false, false},
    {"make a raw socket", make_raw_socket, false, false, false},
    {"make a netlink socket", make_netlink_socket, false, false, true},
    {"make a netlink socket of another family", make_generic_netlink_socket, false, false, false},
    {"enter a network namespace", enter_network_namespace, false, false, false},
    {"execute a program", execute, false, false, false},
    {"trace another process", trace_another, false, false, false},
    {"signal another process", signal_another, false, false, false},
    {"renice another process", renice_another, false, false, false},
    {"mount a file system", mount_something, false, false, false},
    {"open a file system context", open_a_file_system, false, false, false},
    {"make a user namespace", make_user_namespace, false, false, false},
    {"make a mount namespace", make_mount_namespace, false, false, false},
    {"change the root", change_root, false, false, false},
    {"become root", become_root, false, false, false},
    {"change groups", change_groups, false, false, false},
    {"make a device node", make_device, false, false, false},
    {"make a bpf map", load_program, false, false, false},
    {"use a keyring", use_keyring, false, false, false},
    {"set the host name", set_host_name, false, false, false},
    {"read another process's memory", read_memory_of_another, false, false, false},
    {"fork into a user namespace", fork_with_namespaces, false, false, false},
    {"fork", fork_plainly, false, true, false},
    {NULL, NULL, false, false, false},
};
