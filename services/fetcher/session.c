/* SPDX-License-Identifier: Apache-2.0
 *
 * One job's registry and credentials; see session.h.
 */
#include "session.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "authorize.h"
#include "common/cleanup.h"
#include "exchange.h"

/* distribution-spec, "Pulling manifests": path components of [a-z0-9]+ with single separators. */
bool session_is_repository(const char *name)
{
    bool separated = true; /* a component begins */
    for (const char *at = name; *at; at++) {
        if (islower((unsigned char)*at) || isdigit((unsigned char)*at)) {
            separated = false;
        } else if (strchr("/.", *at)) {
            if (separated) {
                return false;
            }
            separated = true;
        } else if (!strchr("_-", *at) || at == name || at[-1] == '/' || at[-1] == '.') {
            return false;
        }
    }
    size_t length = strlen(name);
    return length == 0 || (length <= BH_REPOSITORY_BYTES_MAX && !separated && !strchr("_-", name[length - 1]));
}

static int copy_secret(const char *from, char **to, struct bh_error *error)
{
    size_t length = strlen(from);
    if (length > TOKEN_BYTES_MAX || strpbrk(from, "\r\n")) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "credentials must be one line of at most %d bytes",
                            TOKEN_BYTES_MAX);
    }
    *to = strdup(from);
    return *to ? 0 : bh_error_errno(error, ENOMEM, "hold credentials");
}

static int take_credentials(struct session *session, const struct session_credentials *credentials,
                            struct bh_error *error)
{
    if (strchr(credentials->username, ':')) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "the user name must not hold a colon (RFC 7617)");
    }
    if (copy_secret(credentials->username, &session->username, error) < 0 ||
        copy_secret(credentials->password, &session->password, error) < 0 ||
        copy_secret(credentials->identity_token, &session->identity_token, error) < 0) {
        return -1;
    }
    if (credentials->registry_token[0]) {
        bh_autofree char *token = NULL;
        char *header = NULL;
        if (copy_secret(credentials->registry_token, &token, error) < 0) {
            return -1;
        }
        if (asprintf(&header, "Bearer %s", token) < 0) {
            return bh_error_errno(error, ENOMEM, "hold credentials");
        }
        session_set_header(session, header);
    }
    return 0;
}

static int refuse_repository(const char *name, struct bh_error *error)
{
    return bh_error_set(error, BH_INVALID_ARGUMENT,
                        "repository \"%.64s\" must be lower-case words separated by / . _ or -", name);
}

static int take_also_pull(struct session *session, const struct session_target *target, struct bh_error *error)
{
    if (target->n_also_pull > SESSION_ALSO_PULL_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "more than %d repositories to mount from",
                            SESSION_ALSO_PULL_MAX);
    }
    for (size_t i = 0; i < target->n_also_pull; i++) {
        if (!session_is_repository(target->also_pull[i])) {
            return refuse_repository(target->also_pull[i], error);
        }
        session->also_pull[i] = strdup(target->also_pull[i]);
        if (!session->also_pull[i]) {
            return bh_error_errno(error, ENOMEM, "hold a repository's name");
        }
        session->n_also_pull = i + 1;
    }
    return 0;
}

int session_open(struct session *session, const struct session_target *target,
                 const struct session_credentials *credentials, struct bh_error *error)
{
    const char *registry = target->registry, *repository = target->repository;
    if (origin_parse(registry, true, &session->origin, &session->has_port, error) < 0 ||
        connections_set_registry(session->connections, registry, error) < 0) {
        return -1;
    }
    if (!session_is_repository(repository)) {
        return refuse_repository(repository, error);
    }
    (void)snprintf(session->registry, sizeof(session->registry), "%s", registry);
    (void)snprintf(session->repository, sizeof(session->repository), "%s", repository);
    session->push = target->push;
    if (take_also_pull(session, target, error) < 0 || take_credentials(session, credentials, error) < 0) {
        return -1;
    }
    session->open = true;
    return 0;
}

static void forget(char **secret)
{
    if (*secret) {
        explicit_bzero(*secret, strlen(*secret));
        free(*secret);
        *secret = NULL;
    }
}

void session_set_header(struct session *session, char *header)
{
    forget(&session->header);
    session->header = header;
    session->generation++;
}

bool session_trusts(const struct origin *origin, void *argument)
{
    const struct session *session = argument;
    for (size_t i = 0; i < session->n_trusted; i++) {
        struct origin named;
        bool has_port;
        if (origin_parse(session->trusted[i], origin->https, &named, &has_port, NULL) == 0 &&
            strcmp(named.host, origin->host) == 0 && (!has_port || named.port == origin->port)) {
            return true;
        }
    }
    return false;
}

void session_close(struct session *session)
{
    struct exchange *exchange;
    while ((exchange = TAILQ_FIRST(&session->exchanges))) {
        exchange_abort(exchange);
    }
    authorize_abort(session);
    http_free(session->http);
    connections_free(session->connections);
    for (size_t i = 0; i < session->n_also_pull; i++) {
        free(session->also_pull[i]);
    }
    session->n_also_pull = 0;
    forget(&session->username);
    forget(&session->password);
    forget(&session->identity_token);
    forget(&session->header);
    forget(&session->refresh_token);
}
