/* SPDX-License-Identifier: Apache-2.0
 *
 * Starts and stops test servers; see server.h.
 */
#include "server.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/io.h"

#define ARGUMENTS_MAX 40

static void die(const char *what)
{
    perror(what);
    abort();
}

/* Starts a program; *ret_input and *ret_output are our ends of its standard streams. */
static pid_t start(const char *const *arguments, int *ret_input, int *ret_output)
{
    int input[2], output[2];
    if (pipe2(input, O_CLOEXEC) < 0 || pipe2(output, O_CLOEXEC) < 0) {
        die("pipe");
    }
    pid_t pid = fork();
    if (pid < 0) {
        die("fork");
    }
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)dup2(input[0], STDIN_FILENO);
        (void)dup2(output[1], STDOUT_FILENO);
        (void)execvp(arguments[0], (char *const *)(uintptr_t)arguments);
        _exit(127);
    }
    (void)close(input[0]);
    (void)close(output[1]);
    *ret_input = input[1];
    *ret_output = output[0];
    return pid;
}

void server_start(struct server *server, const char *root, const char *const *arguments)
{
    const char *argv[ARGUMENTS_MAX] = {"python3",  BH_SOURCE "/tests/lib/registry.py", "--root", root, "--log",
                                       server->log};
    size_t n = 6;
    *server = (struct server){.input = -1, .output = -1};
    static int number;
    (void)snprintf(server->log, sizeof(server->log), "%s/log-%d", root, number++);
    while (arguments && *arguments && n < ARGUMENTS_MAX - 1) {
        argv[n++] = *arguments++;
    }
    int output;
    server->pid = start(argv, &server->input, &output);
    FILE *stream = fdopen(output, "r");
    if (!stream || fscanf(stream, "listening on %63s", server->address) != 1) {
        die("registry.py");
    }
    (void)fclose(stream);
}

static uint16_t free_port(void)
{
    bh_autoclose int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n_bytes = sizeof(address);
    if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &n_bytes) < 0) {
        die("bind");
    }
    return ntohs(address.sin_port);
}

static void wait_until_it_listens(const struct server *server, uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    for (uint64_t until = bh_now_ms() + 20000; bh_now_ms() < until;) {
        bh_autoclose int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0) {
            return;
        }
        if (waitpid(server->pid, NULL, WNOHANG) == server->pid) {
            break;
        }
        (void)poll(NULL, 0, 20); /* between two looks, not instead of one */
    }
    die("docker-registry does not listen");
}

void server_start_docker(struct server *server, const char *root, const char *folder)
{
    char config[256];
    uint16_t port = free_port();
    *server = (struct server){.input = -1, .output = -1};
    (void)snprintf(server->address, sizeof(server->address), "127.0.0.1:%u", port);
    (void)snprintf(config, sizeof(config), "%s/config.yml", folder);
    FILE *file = fopen(config, "we");
    if (!file) {
        die(config);
    }
    (void)fprintf(file,
                  "version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: %s}}\n"
                  "http: {addr: '%s', tls: {certificate: %s/cert.pem, key: %s/key.pem}}\n"
                  "auth: {htpasswd: {realm: test, path: %s/htpasswd}}\n",
                  root, server->address, folder, folder, folder);
    (void)fclose(file);
    const char *argv[] = {"docker-registry", "serve", config, NULL};
    server->pid = start(argv, &server->input, &server->output);
    wait_until_it_listens(server, port);
}

void server_stop(struct server *server)
{
    if (server->pid > 0) {
        bh_close(&server->input);
        bh_close(&server->output);
        (void)kill(server->pid, SIGTERM);
        (void)waitpid(server->pid, NULL, 0);
        server->pid = 0;
    }
}

int server_log_count(const struct server *server, const char *text)
{
    char line[16384];
    int n = 0;
    bh_autofclose FILE *file = fopen(server->log, "re");
    while (file && fgets(line, sizeof(line), file)) {
        n += strstr(line, text) != NULL;
    }
    return n;
}

void server_run(const char *const *arguments)
{
    pid_t pid = fork();
    if (pid == 0) {
        int null = open("/dev/null", O_RDWR);
        (void)dup2(null, STDOUT_FILENO);
        (void)dup2(null, STDERR_FILENO);
        (void)execvp(arguments[0], (char *const *)(uintptr_t)arguments);
        _exit(127);
    }
    int status = -1;
    if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0) {
        die(arguments[0]);
    }
}

void server_make_certificates(const char *folder)
{
    char ca[160], ca_key[160], cert[160], key[160], request[160], extensions[160];
    (void)snprintf(ca, sizeof(ca), "%s/ca.pem", folder);
    (void)snprintf(ca_key, sizeof(ca_key), "%s/ca-key.pem", folder);
    (void)snprintf(cert, sizeof(cert), "%s/cert.pem", folder);
    (void)snprintf(key, sizeof(key), "%s/key.pem", folder);
    (void)snprintf(request, sizeof(request), "%s/request.pem", folder);
    (void)snprintf(extensions, sizeof(extensions), "%s/extensions", folder);
    FILE *file = fopen(extensions, "we");
    if (!file || fputs("subjectAltName=IP:127.0.0.1,DNS:localhost\n", file) < 0 || fclose(file) != 0) {
        die(extensions);
    }
    server_run((const char *const[]){"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                                     "-nodes", "-keyout", ca_key, "-out", ca, "-days", "2", "-subj", "/CN=test CA",
                                     NULL});
    server_run((const char *const[]){"openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                                     "-keyout", key, "-out", request, "-subj", "/CN=127.0.0.1", NULL});
    server_run((const char *const[]){"openssl", "x509", "-req", "-in", request, "-CA", ca, "-CAkey", ca_key,
                                     "-CAcreateserial", "-out", cert, "-days", "2", "-extfile", extensions, NULL});
}
