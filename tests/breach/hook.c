/* SPDX-License-Identifier: Apache-2.0
 *
 * Arbitrary code in a sealed process, as far as system calls go: what an attacker who took it over could do, spoken by
 * tests/breach/lib/door.py. Linked into the programs of the build for breach tests alone; see common/breach.h.
 *
 * Nothing is used here that a sandbox might lack: two system calls that every row has, and memory that is there
 * already.
 */
#include "common/breach.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#define SCRATCH_BYTES 32768
#define DESCRIPTOR    100 /* at least: beyond what is handed over by number, below every row's limit */
#define RESUME        UINT64_MAX
#define SERVE_WORKERS (UINT64_MAX - 1) /* workers of a name, from now on, serve as soon as they are sealed */
#define SPARE_WORKERS (UINT64_MAX - 2)
#define ADDRESS       "bulkhead-breach"

/* One message each way. `put` bytes follow the request and are written to the scratch; `get` bytes of it follow the
 * answer. */
struct request {
    uint64_t number, arguments[6];
    uint32_t put, get;
};
struct answer {
    int64_t result; /* -errno of a call that failed */
};
struct hello {
    int32_t pid, fd;
    uint64_t scratch;
};

static char scratch[SCRATCH_BYTES] __attribute__((aligned(4096)));
static char incoming[sizeof(struct request) + SCRATCH_BYTES] __attribute__((aligned(8)));
static char outgoing[sizeof(struct answer) + SCRATCH_BYTES] __attribute__((aligned(8)));
static int attacker = -1;
static char
    serving[16]; /* the name of workers that do; they share their service's connection, and so it is one alone */

static bool makes_a_process(uint64_t number)
{
    return number == SYS_clone || number == SYS_clone3 || number == SYS_fork || number == SYS_vfork;
}

static int64_t execute(const struct request *request)
{
    const uint64_t *a = request->arguments;
    if (request->number == SERVE_WORKERS) {
        memcpy(serving, (const char *)(uintptr_t)a[0], sizeof(serving) - 1);
        return 0;
    }
    if (request->number == SPARE_WORKERS) {
        serving[0] = '\0';
        return 0;
    }
    long result = syscall((long)request->number, a[0], a[1], a[2], a[3], a[4], a[5]);
    if (result == 0 && makes_a_process(request->number)) {
        _exit(0); /* it was made, which is all that counts; one voice is enough */
    }
    return result < 0 ? -errno : result;
}

static void serve(void)
{
    for (;;) {
        ssize_t n = read(attacker, incoming, sizeof(incoming));
        struct request request;
        if (n < (ssize_t)sizeof(request)) {
            return; /* the attacker has gone */
        }
        memcpy(&request, incoming, sizeof(request));
        if (request.number == RESUME || request.put > SCRATCH_BYTES || request.get > SCRATCH_BYTES) {
            return;
        }
        memcpy(scratch, incoming + sizeof(request), request.put);
        struct answer answer = {.result = execute(&request)};
        memcpy(outgoing, &answer, sizeof(answer));
        memcpy(outgoing + sizeof(answer), scratch, request.get);
        if (write(attacker, outgoing, sizeof(answer) + request.get) < 0) {
            return;
        }
    }
}

static void on_signal(int number)
{
    (void)number;
    int saved = errno;
    serve();
    errno = saved;
}

/* By path, or, where there is no file system to look in, by a name of the network namespace. */
static bool reach(int fd)
{
    static const struct sockaddr_un path = {.sun_family = AF_UNIX, .sun_path = "/run/" ADDRESS};
    static const struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "\0" ADDRESS};
    return connect(fd, (const struct sockaddr *)&path, sizeof(path)) == 0 ||
           connect(fd, (const struct sockaddr *)&name,
                   (socklen_t)(offsetof(struct sockaddr_un, sun_path) + sizeof(ADDRESS))) == 0;
}

void bh_breach_open(void)
{
    int low = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (low < 0 || !reach(low)) {
        (void)close(low);
        return;
    }
    attacker = fcntl(low, F_DUPFD_CLOEXEC, DESCRIPTOR);
    (void)close(low);
    const struct hello hello = {.pid = (int32_t)getpid(), .fd = attacker, .scratch = (uint64_t)(uintptr_t)scratch};
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    (void)sigfillset(&action.sa_mask);
    if (sigaction(SIGUSR2, &action, NULL) < 0 || write(attacker, &hello, sizeof(hello)) < 0) {
        _exit(3);
    }
}

int bh_breach_fd(void)
{
    return attacker;
}

void bh_breach_worker(const char *name)
{
    if (attacker >= 0 && *serving && strcmp(serving, name) == 0) {
        serve();
    }
}

void bh_breach_spare(sigset_t *set)
{
    (void)sigdelset(set, SIGUSR2);
}
