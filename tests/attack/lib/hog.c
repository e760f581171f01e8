/* SPDX-License-Identifier: Apache-2.0
 *
 * hog WHAT    takes as much of something as it gets, says how much that was, and holds it until it is ended
 *
 * fork: processes that start processes · threads · files, pipes, sockets, inotify, epoll: descriptors, and more of them
 * in children · memory: anonymous · shared: a segment of System V · queues: messages of POSIX queues, as full as they
 * get · processor: loops · deep: a folder in a folder, as deep as it goes · names: empty files · bytes: one file as
 * large as it gets · dirty: a file rewritten without end · zombies · signals: its own children, at once · sleepers:
 * timers that fire all the time
 */
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char megabyte[1 << 20];

static void hold(const char *what, unsigned long long n)
{
    (void)printf("%s: %llu, then %s\n", what, n, strerror(errno));
    (void)fflush(stdout);
    for (;;) {
        (void)pause();
    }
}

static void forks(void)
{
    for (;;) {
        if (fork() < 0 && errno != EAGAIN) {
            return;
        }
    }
}

static void *sleep_on(void *argument)
{
    (void)pause();
    return argument;
}

static void threads(void)
{
    pthread_t thread;
    unsigned long long n = 0;
    while ((errno = pthread_create(&thread, NULL, sleep_on, NULL)) == 0) {
        n++;
    }
    hold("threads", n);
}

/* As many descriptors as one process may have, in as many processes as there may be. */
static void descriptors(const char *what)
{
    while (fork() == 0) {
    }
    unsigned long long n = 0;
    int ends[2], result;
    do {
        switch (what[0]) {
        case 'f':
            result = memfd_create("hog", 0);
            if (result >= 0) {
                (void)!write(result, megabyte, 4096);
            }
            break;
        case 'p':
            result = pipe(ends);
            if (result >= 0) {
                (void)fcntl(ends[1], F_SETFL, O_NONBLOCK);
                (void)!write(ends[1], megabyte, 65536);
            }
            break;
        case 's':
            result = socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, ends);
            while (result >= 0 && send(ends[0], megabyte, 65536, 0) > 0) {
            }
            break;
        case 'i':
            result = inotify_init();
            if (result >= 0) {
                (void)inotify_add_watch(result, "/", IN_ALL_EVENTS);
            }
            break;
        default:
            result = epoll_create1(0);
        }
        n++;
    } while (result >= 0);
    hold(what, n);
}

static void memory(void)
{
    for (unsigned long long n = 0;; n++) {
        char *more = mmap(NULL, sizeof(megabyte), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (more == MAP_FAILED) {
            hold("memory", n);
        }
        memset(more, 1, sizeof(megabyte));
    }
}

static void shared(void)
{
    for (unsigned long long n = 0;; n++) {
        int id = shmget(IPC_PRIVATE, sizeof(megabyte), 0600);
        char *more = id < 0 ? (char *)-1 : shmat(id, NULL, 0);
        if (more == (char *)-1) {
            hold("shared", n);
        }
        memset(more, 1, sizeof(megabyte));
    }
}

static void queues(void)
{
    unsigned long long n = 0;
    for (int i = 0;; i++) {
        char name[32];
        (void)snprintf(name, sizeof(name), "/hog-%d", i);
        mqd_t queue = mq_open(name, O_CREAT | O_WRONLY | O_NONBLOCK, 0600, NULL);
        if (queue < 0) {
            hold("queues", n);
        }
        while (mq_send(queue, megabyte, 8192, 0) == 0) {
            n++;
        }
    }
}

static void processor(void)
{
    for (int i = 0; i < 8; i++) {
        if (fork() == 0) {
            for (volatile unsigned long n = 0;; n = n + 1) {
            }
        }
    }
    hold("processor", 8);
}

static void deep(void)
{
    unsigned long long n = 0;
    while (n < 20000 && mkdir("deeper", 0700) == 0 && chdir("deeper") == 0) {
        n++;
    }
    hold("deep", n);
}

static void names(void)
{
    for (unsigned long long n = 0;; n++) {
        char name[32];
        (void)snprintf(name, sizeof(name), "/name-%llu", n);
        int fd = open(name, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
        if (fd < 0) {
            hold("names", n);
        }
        (void)close(fd);
    }
}

static void bytes(void)
{
    const char *path = getenv("HOG_FILE");
    int fd = open(path ? path : "/bytes", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    unsigned long long n = 0;
    for (ssize_t more; (more = write(fd, megabyte, sizeof(megabyte))) > 0;) {
        n += (unsigned long long)more;
    }
    hold("bytes", n);
}

static void dirty(void)
{
    int fd = open("/dirty", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    for (;;) {
        for (int i = 0; i < 16 && write(fd, megabyte, sizeof(megabyte)) > 0; i++) {
        }
        (void)fdatasync(fd);
        (void)lseek(fd, 0, SEEK_SET);
    }
}

static void zombies(void)
{
    unsigned long long n = 0;
    for (pid_t child; (child = fork()) >= 0; n++) {
        if (child == 0) {
            _exit(0);
        }
    }
    hold("zombies", n);
}

static void signals(void)
{
    (void)signal(SIGUSR1, SIG_IGN);
    (void)signal(SIGCHLD, SIG_IGN);
    for (int i = 0; i < 3; i++) {
        (void)fork();
    }
    for (;;) {
        (void)kill(0, SIGUSR1);
        (void)kill(-1, SIGCHLD);
    }
}

static void on_time(int signal)
{
    (void)signal;
}

/* Says how many before they are armed: afterwards it comes to nothing but the handler. */
static void sleepers(void)
{
    (void)signal(SIGRTMIN, on_time);
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN};
    const struct itimerspec often = {{0, 1000}, {0, 1000}};
    timer_t timers[1000];
    size_t n = 0;
    while (n < sizeof(timers) / sizeof(timers[0]) && timer_create(CLOCK_MONOTONIC, &event, &timers[n]) == 0) {
        n++;
    }
    (void)printf("sleepers: %zu\n", n);
    (void)fflush(stdout);
    for (size_t i = 0; i < n; i++) {
        (void)timer_settime(timers[i], 0, &often, NULL);
    }
    for (;;) {
        (void)pause();
    }
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } rows[] = {{"fork", forks},       {"threads", threads},     {"memory", memory},   {"shared", shared},
                {"queues", queues},    {"processor", processor}, {"deep", deep},       {"names", names},
                {"bytes", bytes},      {"dirty", dirty},         {"zombies", zombies}, {"signals", signals},
                {"sleepers", sleepers}};
    const char *what = argc == 2 ? argv[1] : "";
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (strcmp(rows[i].name, what) == 0) {
            rows[i].run();
        }
    }
    descriptors(what);
    return 1;
}
