/* SPDX-License-Identifier: Apache-2.0
 *
 * The API's socket; see listener.h.
 */
#include "listener.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/cleanup.h"

#define FIRST_PASSED_FD 3
#define BACKLOG         512

/* From systemd: the variables must be meant for this very process. */
static int take_passed(int *ret_fd, struct bh_error *error)
{
    const char *pid = getenv("LISTEN_PID");
    const char *count = getenv("LISTEN_FDS");
    if (!pid || !count || strtol(pid, NULL, 10) != (long)getpid()) {
        return 0;
    }
    (void)unsetenv("LISTEN_PID");
    (void)unsetenv("LISTEN_FDS");
    int domain = 0, listening = 0;
    socklen_t size = sizeof(int);
    if (strcmp(count, "1") != 0 || getsockopt(FIRST_PASSED_FD, SOL_SOCKET, SO_DOMAIN, &domain, &size) < 0 ||
        domain != AF_UNIX || getsockopt(FIRST_PASSED_FD, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) < 0 ||
        !listening) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "the service manager passed %s descriptors; wanted is one listening unix socket", count);
    }
    *ret_fd = fcntl(FIRST_PASSED_FD, F_DUPFD_CLOEXEC, 4);
    (void)close(FIRST_PASSED_FD);
    return *ret_fd < 0 ? bh_error_errno(error, errno, "take over the passed socket") : 1;
}

static int group_of(const char *text, gid_t *ret_group, struct bh_error *error)
{
    char *end = NULL;
    unsigned long number = strtoul(text, &end, 10);
    if (*text && !*end && number < UINT32_MAX) {
        *ret_group = (gid_t)number;
        return 0;
    }
    const struct group *group = getgrnam(text);
    if (!group) {
        return bh_error_set(error, BH_NOT_FOUND, "socket_group \"%s\" does not exist", text);
    }
    *ret_group = group->gr_gid;
    return 0;
}

static int make_parent(const char *path, struct bh_error *error)
{
    char folder[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
    (void)snprintf(folder, sizeof(folder), "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash && slash != folder) {
        *slash = '\0';
        if (mkdir(folder, 0755) < 0 && errno != EEXIST) {
            return bh_error_errno(error, errno, "make folder \"%s\"", folder);
        }
    }
    return 0;
}

static int bind_own(const struct settings *settings, int *ret_fd, struct bh_error *error)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    gid_t group = 0;
    if (strlen(settings->socket) >= sizeof(address.sun_path)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "socket \"%s\" is longer than %zu characters", settings->socket,
                            sizeof(address.sun_path) - 1);
    }
    if (*settings->socket_group && group_of(settings->socket_group, &group, error) < 0) {
        return -1;
    }
    if (make_parent(settings->socket, error) < 0) {
        return -1;
    }
    memcpy(address.sun_path, settings->socket, strlen(settings->socket) + 1);
    (void)unlink(settings->socket); /* of an engine that was killed; the state folder's lock keeps a live one's */
    bh_autoclose int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    mode_t before = umask(0177);
    int bound = fd < 0 ? -1 : bind(fd, (const struct sockaddr *)&address, sizeof(address));
    (void)umask(before);
    if (bound < 0 || chown(settings->socket, 0, group) < 0 || chmod(settings->socket, settings->socket_mode) < 0 ||
        listen(fd, BACKLOG) < 0) {
        return bh_error_errno(error, errno, "listen on \"%s\"", settings->socket);
    }
    *ret_fd = bh_steal_fd(&fd);
    return 0;
}

int listener_open(const struct settings *settings, int *ret_fd, bool *ret_made, struct bh_error *error)
{
    int passed = take_passed(ret_fd, error);
    *ret_made = passed == 0;
    if (passed != 0) {
        return passed < 0 || fcntl(*ret_fd, F_SETFL, O_NONBLOCK) < 0 ? -1 : 0;
    }
    return bind_own(settings, ret_fd, error);
}

void notify_service_manager(const char *state)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *path = getenv("NOTIFY_SOCKET");
    if (!path || (path[0] != '/' && path[0] != '@') || strlen(path) >= sizeof(address.sun_path)) {
        return;
    }
    memcpy(address.sun_path, path, strlen(path));
    if (path[0] == '@') {
        address.sun_path[0] = '\0';
    }
    bh_autoclose int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd >= 0) {
        (void)sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&address,
                     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path)));
    }
}
