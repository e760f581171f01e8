/* SPDX-License-Identifier: Apache-2.0
 *
 * race swap A B    exchanges two names, as fast as it can, until it is ended
 * race hunt        looks at all other processes in /proc, as fast as it can, for one that is not of this image: says
 * `caught: …` of each executable, root, folder, memory or descriptor of such a one that could be opened, and `looked`
 * when SIGTERM ends it
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static volatile sig_atomic_t ended;

static void end(int signal)
{
    (void)signal;
    ended = 1;
}

/* One that somebody is just replacing is waited for. */
static int swap(const char *a, const char *b)
{
    while (!ended) {
        if (renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE) < 0 && errno != ENOENT) {
            perror("exchange");
            return 1;
        }
    }
    return 0;
}

static void say(const char *path)
{
    char target[256] = "";
    (void)!readlink(path, target, sizeof(target) - 1);
    (void)printf("caught: %s, which is %s\n", path, target);
    (void)fflush(stdout);
}

static void look_at(const char *pid)
{
    static const char *const names[] = {"exe", "root/proc", "cwd", "mem", "fd/0", "fd/3", "fd/4", "fd/5"};
    char path[64], target[256] = "";
    struct stat ours, theirs;
    (void)snprintf(path, sizeof(path), "/proc/%s/exe", pid);
    if (readlink(path, target, sizeof(target) - 1) < 0) {
        return;
    }
    /* a program that is to be found here by that name is this image's own */
    if (stat(path, &theirs) == 0 && stat(target, &ours) == 0 && ours.st_ino == theirs.st_ino &&
        ours.st_dev == theirs.st_dev) {
        return;
    }
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        (void)snprintf(path, sizeof(path), "/proc/%s/%s", pid, names[i]);
        int fd = open(path, i == 3 ? O_RDWR : O_RDONLY | O_NONBLOCK);
        if (fd >= 0) {
            say(path);
            (void)close(fd);
        }
    }
}

static int hunt(void)
{
    while (!ended) {
        DIR *processes = opendir("/proc");
        for (const struct dirent *entry; processes && (entry = readdir(processes));) {
            if (entry->d_name[0] >= '0' && entry->d_name[0] <= '9' && atoi(entry->d_name) != getpid()) {
                look_at(entry->d_name);
            }
        }
        (void)closedir(processes);
    }
    (void)puts("looked");
    return 0;
}

int main(int argc, char **argv)
{
    (void)signal(SIGTERM, end);
    if (argc == 4 && strcmp(argv[1], "swap") == 0) {
        return swap(argv[2], argv[3]);
    }
    if (argc == 2 && strcmp(argv[1], "hunt") == 0) {
        return hunt();
    }
    (void)fprintf(stderr, "usage: race swap A B | hunt\n");
    return 2;
}
