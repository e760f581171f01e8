/* SPDX-License-Identifier: Apache-2.0
 *
 * The one program that this client runs: ssh is the transport, with the user's own keys, agent and configuration. It is
 * started with a list of words, never by a shell, and no word of the user's can become one of its options.
 */
#include "ssh.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "string_list.h"

static int refuse(const char *host, const char *why, struct bh_error *error)
{
    return bh_error_set(error, BH_INVALID_ARGUMENT,
                        "invalid host \"%s\": %s: want ssh://[user@]host[:port][/path/of/socket]", host, why);
}

/* A name that ssh, or the shell that sshd starts at the far end, could take for anything but a name. */
static bool is_plain(const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-:%@/";
    return *word && *word != '-' && strspn(word, plain) == strlen(word);
}

/* "[::1]:22" or "host:22" into its two parts, in place. False if it is neither. */
static bool split_port(char *text, char **ret_name, char **ret_port)
{
    char *end = text + strcspn(text, ":");
    *ret_name = text;
    if (*text == '[') {
        char *close = strchr(text, ']');
        if (!close) {
            return false;
        }
        *ret_name = text + 1;
        *close = '\0';
        end = close + 1;
    }
    *ret_port = *end == ':' ? end + 1 : NULL;
    bool ends_well = *end == ':' || *end == '\0';
    if (*text != '[') {
        *end = '\0';
    }
    return ends_well;
}

int ssh_command_parse(const char *host, struct ssh_command *ret_command, struct bh_error *error)
{
    const char *rest = host + strlen("ssh://"), *path = strchr(rest, '/');
    bh_autofree char *buffer = NULL;
    /* both texts in one block: the address, and behind its NUL the far socket's */
    if (strings_format(&buffer, error, "%s%cunix://%s", rest, '\0', path ? path : "") < 0) {
        return -1;
    }
    char *slash = strchr(buffer, '/'), *name = NULL, *port = NULL;
    const char *remote = path && path[1] ? buffer + strlen(rest) + 1 : NULL;
    if (slash) {
        *slash = '\0';
    }
    char *at = strrchr(buffer, '@'), *user = at ? buffer : NULL;
    if (at) {
        *at = '\0';
    }
    if (!split_port(at ? at + 1 : buffer, &name, &port) || !is_plain(name)) {
        return refuse(host, "the host's name is missing or has characters that no name has", error);
    }
    if (user && (!is_plain(user) || strchr(user, ':'))) {
        return refuse(host, "the user's name is empty, or a password stands in it", error);
    }
    if (port && (!*port || strspn(port, "0123456789") != strlen(port) || strtol(port, NULL, 10) > 65535)) {
        return refuse(host, "the port is no number below 65536", error);
    }
    if (remote && !is_plain(remote)) {
        return refuse(host, "the socket's path has characters that a shell would act on", error);
    }
    struct ssh_command command = {{"ssh", "-T", "-o", "ConnectTimeout=30"}, NULL};
    size_t n = 4;
    const char *const words[] = {user ? "-l" : NULL,   user,   port ? "-p" : NULL, port,        "--", name, "bulkhead",
                                 remote ? "-H" : NULL, remote, "system",           "dial-stdio"};
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
        if (words[i]) {
            command.arguments[n++] = words[i];
        }
    }
    command.buffer = bh_steal_pointer(&buffer);
    *ret_command = command;
    return 0;
}

void ssh_command_free(struct ssh_command *command)
{
    free(command->buffer);
    *command = (struct ssh_command){0};
}

/* In the child. Keys that interrupt are for us, who pass them on to the container: ssh must survive them. */
static void become_ssh(const struct ssh_command *command, int fd)
{
    sigset_t none;
    (void)sigemptyset(&none);
    (void)signal(SIGINT, SIG_IGN);
    (void)signal(SIGQUIT, SIG_IGN);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (dup2(fd, STDIN_FILENO) >= 0 && dup2(fd, STDOUT_FILENO) >= 0) {
        (void)execvp(command->arguments[0], (char *const *)(uintptr_t)command->arguments);
    }
    static const char message[] = "bulkhead: cannot start the program ssh: is it installed?\n";
    (void)!write(STDERR_FILENO, message, sizeof(message) - 1);
    _exit(127);
}

int ssh_connect(const char *host, int *ret_fd, struct bh_error *error)
{
    bh_cleanup(ssh_command_free) struct ssh_command command = {0};
    int fds[2];
    if (ssh_command_parse(host, &command, error) < 0) {
        return -1;
    }
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0) {
        return bh_error_errno(error, errno, "make a pair of sockets for ssh");
    }
    bh_autoclose int ours = fds[0], theirs = fds[1];
    pid_t pid = fork();
    if (pid < 0) {
        return bh_error_errno(error, errno, "start ssh");
    }
    if (pid == 0) {
        become_ssh(&command, theirs);
    }
    *ret_fd = bh_steal_fd(&ours);
    return 0;
}
