/* SPDX-License-Identifier: Apache-2.0
 *
 * A process outside that leads a group (ESCAPE_PID, as the host counts), a socket of the host without a file
 * (ESCAPE_SOCKET), a listener on the host's loopback (ESCAPE_PORT), a System V segment of the host's (ESCAPE_SHM).
 */
#include "attempt.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t victim(void)
{
    return (pid_t)outside_number("ESCAPE_PID");
}

static int open_of_victim(const char *name, int flags)
{
    char path[64];
    (void)snprintf(path, sizeof(path), "/proc/%d/%s", victim(), name);
    return fd_result(open(path, flags | O_CLOEXEC));
}

/* clang-format off */
static int signal_it(void) { return result_of(kill(victim(), 0)); }
static int signal_thread(void) { return result_of(syscall(SYS_tkill, victim(), 0)); }
static int signal_group(void) { return result_of(kill(-victim(), 0)); }
static int memory(void) { return open_of_victim("mem", O_RDWR); }
static int root(void) { return open_of_victim("root/etc/passwd", O_RDONLY); }
static int environment(void) { return open_of_victim("environ", O_RDONLY); }
static int executable(void) { return open_of_victim("exe", O_RDONLY); }
static int descriptors(void) { return open_of_victim("fd", O_RDONLY | O_DIRECTORY); }
static int limits(void) { struct rlimit limit; return result_of(prlimit(victim(), RLIMIT_NOFILE, NULL, &limit)); }
static int pidfd(void) { return fd_result((int)syscall(SYS_pidfd_open, victim(), 0U)); }
static int compare(void) { return result_of(syscall(SYS_kcmp, victim(), victim(), 1, 0, 0)); }
/* clang-format on */

static int priority(void)
{
    errno = 0;
    int now = getpriority(PRIO_PROCESS, (id_t)victim());
    return errno ? errno : result_of(setpriority(PRIO_PROCESS, (id_t)victim(), now));
}

static int affinity(void)
{
    cpu_set_t set;
    return sched_getaffinity(victim(), sizeof(set), &set) < 0
               ? errno
               : result_of(sched_setaffinity(victim(), sizeof(set), &set));
}

static int trace(void)
{
    if (ptrace(PTRACE_SEIZE, victim(), NULL, NULL) < 0) {
        return errno;
    }
    (void)ptrace(PTRACE_INTERRUPT, victim(), NULL, NULL);
    (void)waitpid(victim(), NULL, __WALL);
    (void)ptrace(PTRACE_DETACH, victim(), NULL, NULL);
    return 0;
}

/* Reads a byte of it at an address of ours: one that is not mapped there has been asked for all the same. */
static int read_memory(void)
{
    char byte = 0;
    struct iovec here = {&byte, 1}, there = {&byte, 1};
    return process_vm_readv(victim(), &here, 1, &there, 1, 0) < 0 && errno != EFAULT ? errno : 0;
}

static int steal_descriptor(void)
{
    int fd = (int)syscall(SYS_pidfd_open, victim(), 0U);
    if (fd < 0) {
        return errno;
    }
    int result = fd_result((int)syscall(SYS_pidfd_getfd, fd, 0, 0U));
    (void)close(fd);
    return result;
}

static int abstract_socket(int type, const char *suffix)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int length =
        snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "%s%s", outside_text("ESCAPE_SOCKET"), suffix);
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return errno;
    }
    int result = result_of(connect(fd, (struct sockaddr *)&address,
                                   (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length)));
    (void)close(fd);
    return result;
}

static int stream_socket(void)
{
    return abstract_socket(SOCK_STREAM, "-stream");
}

static int datagram_socket(void)
{
    return abstract_socket(SOCK_DGRAM, "-datagram");
}

static int loopback(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)outside_number("ESCAPE_PORT")),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return errno;
    }
    int result = result_of(connect(fd, (struct sockaddr *)&address, sizeof(address)));
    (void)close(fd);
    return result;
}

static int shared_memory(void)
{
    return result_of(shmget((key_t)outside_number("ESCAPE_SHM"), 0, 0));
}

const struct attempt process_attempts[] = {
    {"process: signal", signal_it},
    {"process: signal to a thread", signal_thread},
    {"process: signal to its group", signal_group},
    {"process: ptrace", trace},
    {"process: memory by proc", memory},
    {"process: memory by call", read_memory},
    {"process: its root", root},
    {"process: its environment", environment},
    {"process: its executable", executable},
    {"process: its descriptors", descriptors},
    {"process: its limits", limits},
    {"process: its priority", priority},
    {"process: its processors", affinity},
    {"process: pidfd", pidfd},
    {"process: a descriptor of it", steal_descriptor},
    {"process: kcmp", compare},
    {"socket: the host's, abstract, stream", stream_socket},
    {"socket: the host's, abstract, datagram", datagram_socket},
    {"socket: the host's loopback", loopback},
    {"memory: the host's System V segment", shared_memory},
    {NULL, NULL},
};
