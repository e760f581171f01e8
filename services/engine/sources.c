/* SPDX-License-Identifier: Apache-2.0
 *
 * See sources.h. The configuration is root's own; the supervisor has checked its form.
 */
#include "services/engine/sources.h"

#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "services/engine/channels.h"
#include "services/engine/registry.h"

#define HUB "registry-1.docker.io"

int source_mirror_host(const char *url, char *ret_host, size_t host_size)
{
    bool plain = strncmp(url, "http://", 7) == 0;
    if (!plain && strncmp(url, "https://", 8) != 0) {
        return -1;
    }
    const char *host = url + (plain ? 7 : 8);
    size_t length = strcspn(host, "/");
    const char *bracket = memchr(host, ']', length);
    bool has_port = memchr(bracket ? bracket : host, ':', bracket ? length - (size_t)(bracket - host) : length);
    /* Plain HTTP at its own port would otherwise only be tried after https at its own. */
    int n = snprintf(ret_host, host_size, "%.*s%s", (int)length, host, plain && !has_port ? ":80" : "");
    return length > 0 && n > 0 && (size_t)n < host_size && (host[length] == '\0' || host[length + 1] == '\0') ? 0 : -1;
}

static int visit_host(struct job *job, const char *host, const struct bh_reference *reference,
                      Bulkhead__Credentials *credentials, struct source *source, source_visit visit, void *argument,
                      struct bh_error *error)
{
    worker_auto struct bh_channel *registry = NULL;
    if (registry_open(job, host, reference->repository, credentials, &registry, error) < 0) {
        return -1;
    }
    source->registry = registry;
    source->host = host;
    return visit(source, argument, error);
}

int sources_visit(struct job *job, const struct bh_reference *reference, Bulkhead__Credentials *credentials,
                  source_visit visit, void *argument, struct bh_error *error)
{
    const Bulkhead__Config *config = job->engine->context->config;
    const char *own = bh_reference_registry_host(reference);
    for (size_t i = 0; strcmp(own, HUB) == 0 && i < config->n_registry_mirrors; i++) {
        struct source source = {.mirror = true};
        char host[sizeof reference->domain];
        if (source_mirror_host(config->registry_mirrors[i], host, sizeof host) < 0) {
            continue;
        }
        if (visit_host(job, host, reference, NULL, &source, visit, argument, error) == 0) {
            return 0;
        }
        if (source.final || job_cancelled(job)) {
            return -1;
        }
        bh_log_failure(BH_LOG_WARNING, error, config->registry_mirrors[i]);
        bh_error_clear(error);
    }
    struct source source = {0};
    return visit_host(job, own, reference, credentials, &source, visit, argument, error);
}
