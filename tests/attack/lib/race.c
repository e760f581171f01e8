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

/* Whether a process runs a program that is not to be found here by its name. One that has ended runs none. */
static bool is_foreign(const char *pid)
{
    char path[64], target[256] = "";
    struct stat ours, theirs;
    (void)snprintf(path, sizeof(path), "/proc/%s/exe", pid);
    if (readlink(path, target, sizeof(target) - 1) < 0) {
        return false;
    }
    return stat(path, &theirs) < 0 || stat(target, &ours) < 0 || ours.st_ino != theirs.st_ino ||
           ours.st_dev != theirs.st_dev;
}

/* A folder that is there under its name for us as well: one of a process that has just become one of ours. */
static bool is_ours(int fd, const char *name)
{
    struct stat theirs, ours;
    return name && fstat(fd, &theirs) == 0 && stat(name, &ours) == 0 && theirs.st_dev == ours.st_dev &&
           theirs.st_ino == ours.st_ino;
}

static void look_at(const char *pid)
{
    static const struct {
        const char *name, *ours;
        int flags;
    } rows[] = {{"exe", NULL, O_RDONLY},  {"root/proc", "/proc", O_RDONLY}, {"cwd", "/", O_RDONLY},
                {"mem", NULL, O_RDWR},    {"fd/0", NULL, O_RDONLY},         {"fd/3", NULL, O_RDONLY},
                {"fd/4", NULL, O_RDONLY}, {"fd/5", NULL, O_RDONLY}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char path[64];
        if (!is_foreign(pid)) {
            return;
        }
        (void)snprintf(path, sizeof(path), "/proc/%s/%s", pid, rows[i].name);
        int fd = open(path, rows[i].flags | O_NONBLOCK);
        /* what was opened may be of the program that it has become between the two looks, so that there is a third */
        if (fd >= 0 && !is_ours(fd, rows[i].ours) && is_foreign(pid)) {
            say(path);
        }
        if (fd >= 0) {
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
