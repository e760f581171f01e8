/* SPDX-License-Identifier: Apache-2.0
 *
 * The api service: hands what it was born with to the HTTP server, and each connection that the supervisor accepted to
 * a thread.
 */
#include "service.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "api_engine.pb-c.h"
#include "client_watch.h"
#include "common/cleanup.h"
#include "common/log.h"
#include "server.h"

#define RESTART_MS 10000 /* a supervisor that starts an engine again is faster */

static const struct bh_protocol engine_protocol = {
    .name = "api_engine",
    .incoming = &bulkhead__engine_to_api__descriptor,
    .outgoing = &bulkhead__api_to_engine__descriptor,
};

static const struct bh_peer peers[] = {
    {.role = BH_ROLE_ENGINE, .protocol = &engine_protocol},
    {.role = BH_ROLE_NONE},
};

static const char *image_architecture(const char *machine)
{
    static const char *const names[][2] = {
        {"x86_64", "amd64"},    {"aarch64", "arm64"}, {"i686", "386"},        {"armv7l", "arm"},
        {"riscv64", "riscv64"}, {"s390x", "s390x"},   {"ppc64le", "ppc64le"},
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(names[i][0], machine) == 0) {
            return names[i][1];
        }
    }
    return machine;
}

/* Facts about the host that cannot be asked for inside, and the one device streams need. */
static int init(struct bh_service_context *context, struct bh_error *error)
{
    struct api *api = calloc(1, sizeof(*api));
    struct sysinfo memory;
    if (!api) {
        return bh_error_errno(error, ENOMEM, "start api");
    }
    context->state = api;
    mallopt(M_ARENA_MAX, 2); /* threads come and go; an arena for each would be kept for ever */
    api->null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (api->null_fd < 0 || uname(&api->host) < 0 || sysinfo(&memory) < 0) {
        return bh_error_errno(error, errno, "look at the host");
    }
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    api->processors = processors > 0 ? (uint32_t)processors : 1;
    api->memory_bytes = (uint64_t)memory.totalram * memory.mem_unit;
    api->architecture = image_architecture(api->host.machine);
    api->tenant_uid = context->tenant_uid;
    api->version = context->config->version;
    return 0;
}

static int start(struct bh_service_context *context, struct bh_error *error)
{
    struct api *api = context->state;
    api->engine = bh_service_peer(context, BH_ROLE_ENGINE);
    api->restart_ms = RESTART_MS;
    return client_watch_new(context->base, &api->watch, error);
}

static void on_client(struct bh_service_context *context, int fd, uint32_t tenant_uid, uint64_t pid)
{
    struct api *api = context->state;
    bh_autoclose int owned = fd;
    if (tenant_uid != api->tenant_uid) {
        bh_log_error("a connection of tenant %u was handed to the api of tenant %u: closed", tenant_uid,
                     api->tenant_uid);
        return;
    }
    bh_log_debug("client pid=%llu connected", (unsigned long long)pid);
    server_adopt(api, bh_steal_fd(&owned));
}

const struct bh_service api_service = {
    .sandbox = &api_sandbox,
    .peers = peers,
    .init = init,
    .start = start,
    .on_client = on_client,
};
