/* SPDX-License-Identifier: Apache-2.0
 *
 * The servers that the fetcher is tested against: tests/lib/registry.py, which misbehaves as told, and Debian's
 * docker-registry. Each is a child of the test that ends with it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct server {
    pid_t pid;
    int input;        /* its standard input: closing it ends registry.py */
    int output;       /* docker-registry: kept open, since it logs there; -1 */
    char address[64]; /* "127.0.0.1:40123" */
    char log[128];    /* registry.py: who asked what */
};

/* Starts registry.py on `root` with further arguments (ending with NULL) and waits until it listens. */
void server_start(struct server *server, const char *root, const char *const *arguments);
/* Starts docker-registry on `root` with TLS and htpasswd of `folder` (cert.pem, key.pem, htpasswd). */
void server_start_docker(struct server *server, const char *root, const char *folder);
void server_stop(struct server *server);
/* How many lines of the log contain `text`. */
int server_log_count(const struct server *server, const char *text);

/* Runs a program of the test's own (openssl, htpasswd) and aborts if it fails. */
void server_run(const char *const *arguments);
/* A CA in folder/ca.pem and a certificate for 127.0.0.1 and localhost signed by it, cert.pem and key.pem. */
void server_make_certificates(const char *folder);
