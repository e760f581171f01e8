/* SPDX-License-Identifier: Apache-2.0
 *
 * Spawning and introducing one child; see helper.h.
 */
#include "helper.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "address_pool.h"
#include "common/cleanup.h"
#include "common/io.h"
#include "config.pb-c.h"
#include "wiring.h"

/* In the child: only async-signal-safe calls between fork and exec. */
static void execute(const char *path, int control, int log)
{
    char *const arguments[] = {(char *)(uintptr_t)path, NULL};
    char *environment[3] = {NULL};
    size_t n = 0;
    for (char **variable = environ; variable && *variable && n < 2; variable++) {
        if (strncmp(*variable, "ASAN_OPTIONS=", 13) == 0 || strncmp(*variable, "UBSAN_OPTIONS=", 14) == 0) {
            environment[n++] = *variable;
        }
    }
    int null = open("/dev/null", O_RDWR);
    sigset_t none;
    (void)sigemptyset(&none);
    if (setsid() < 0 || null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 ||
        (log >= 0 && dup2(log, STDERR_FILENO) < 0) || dup2(control, BH_CONTROL_FD) < 0 ||
        close_range(BH_CONTROL_FD + 1, UINT_MAX, 0) < 0 || sigprocmask(SIG_SETMASK, &none, NULL) < 0) {
        _exit(126);
    }
    (void)signal(SIGPIPE, SIG_DFL);
    (void)execve(path, arguments, environment);
    _exit(127);
}

int helper_spawn(struct helper *helper, const struct settings *settings, int log, struct bh_error *error)
{
    char path[PATH_MAX + 64];
    int ends[2];
    (void)snprintf(path, sizeof(path), "%s/bulkhead-%s", settings->libexec, bh_role_name(helper->role));
    if (access(path, X_OK) < 0) {
        return bh_error_errno(error, errno, "execute \"%s\"", path);
    }
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
        return bh_error_errno(error, errno, "make a control socket");
    }
    bh_autoclose int ours = ends[0];
    bh_autoclose int theirs = ends[1];
    if (fcntl(ours, F_SETFL, O_NONBLOCK) < 0) {
        return bh_error_errno(error, errno, "prepare a control socket");
    }
    pid_t pid = fork();
    if (pid < 0) {
        return bh_error_errno(error, errno, "fork %s", bh_role_name(helper->role));
    }
    if (pid == 0) {
        execute(path, theirs, log);
    }
    helper->pid = pid;
    helper->control = bh_steal_fd(&ours);
    helper->ready = false;
    helper->started_at_ms = bh_now_ms();
    return 0;
}

int helper_tell(const struct helper *helper, enum bh_control_kind kind, enum bh_role role, uint32_t tenant_uid,
                uint64_t value, int fd, struct bh_error *error)
{
    const struct bh_control record = {
        .kind = (uint32_t)kind, .role = (uint32_t)role, .tenant_uid = tenant_uid, .value = value};
    if (helper->control < 0) {
        return bh_error_set(error, BH_UNAVAILABLE, "%s does not run", bh_role_name(helper->role));
    }
    return bh_control_send(helper->control, &record, fd, error);
}

/* The kernel's own name for this boot; "" if it does not say. */
static void read_boot_id(char *boot_id, size_t boot_id_bytes)
{
    bh_autoclose int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, boot_id, boot_id_bytes - 1);
    boot_id[n < 0 ? 0 : n] = '\0';
    boot_id[strcspn(boot_id, "\n")] = '\0';
}

/* The host's /etc/os-release, which is root's, unread: who shows it looks into it. */
static size_t read_os_release(uint8_t *bytes, size_t n_bytes)
{
    bh_autoclose int fd = open("/etc/os-release", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, bytes, n_bytes);
    return n < 0 ? 0 : (size_t)n;
}

_Static_assert(SETTINGS_LIST_MAX <= IP_POOLS_MAX, "whoever reads the pools has room for all");

/* Address pools as they travel. */
struct pools {
    struct ip_pool parsed[SETTINGS_LIST_MAX];
    Bulkhead__AddressPool messages[SETTINGS_LIST_MAX];
    Bulkhead__AddressPool *pointers[SETTINGS_LIST_MAX];
};

static int fill_pools(const struct settings *settings, struct pools *pools, struct bh_error *error)
{
    for (uint32_t i = 0; i < settings->n_address_pools; i++) {
        struct ip_pool *pool = &pools->parsed[i];
        if (address_pool_parse(settings->address_pools[i], pool, error) < 0) {
            return -1;
        }
        bulkhead__address_pool__init(&pools->messages[i]);
        pools->messages[i].address = (ProtobufCBinaryData){.len = pool->base.ip.n_bytes, .data = pool->base.ip.bytes};
        pools->messages[i].prefix = pool->base.prefix;
        pools->messages[i].size = pool->size;
        pools->pointers[i] = &pools->messages[i];
    }
    return 0;
}

static int send_config(struct helper *helper, const struct settings *settings, struct bh_error *error)
{
    char version[] = BH_VERSION;
    char host_name[256] = "";
    (void)gethostname(host_name, sizeof(host_name) - 1);
    char boot_id[64];
    read_boot_id(boot_id, sizeof(boot_id));
    Bulkhead__Config config = BULKHEAD__CONFIG__INIT;
    config.version = version;
    config.log_level = (uint32_t)settings->log_level;
    config.uid_base = settings->uid_base;
    config.api_uid_base = settings->api_uid_base;
    config.tenant_id_base = settings->tenant_id_base;
    config.tenant_id_count = settings->tenant_id_count;
    config.monitor_uid_base = settings->monitor_uid_base;
    config.cgroup_parent = (char *)(uintptr_t)settings->cgroup_parent;
    config.link_prefix = (char *)(uintptr_t)settings->link_prefix;
    config.insecure_registries = (char **)(uintptr_t)settings->insecure_registries;
    config.n_insecure_registries = settings->n_insecure_registries;
    config.registry_mirrors = (char **)(uintptr_t)settings->registry_mirrors;
    config.n_registry_mirrors = settings->n_registry_mirrors;
    config.private_registries = (char **)(uintptr_t)settings->private_registries;
    config.n_private_registries = settings->n_private_registries;
    config.host_name = host_name;
    config.boot_id = boot_id;
    uint8_t os_release[4096];
    config.os_release =
        (ProtobufCBinaryData){.len = read_os_release(os_release, sizeof(os_release)), .data = os_release};
    struct pools pools;
    if (fill_pools(settings, &pools, error) < 0) {
        return -1;
    }
    config.address_pools = pools.pointers;
    config.n_address_pools = settings->n_address_pools;
    config.state_path = (char *)(uintptr_t)settings->state;
    config.uid = helper->uid;
    config.gid = helper->uid;
    config.engine_gid = settings->uid_base + BH_ROLE_ENGINE;
    config.store_uid = settings->uid_base + BH_ROLE_STORE;

    size_t n_bytes = bulkhead__config__get_packed_size(&config);
    bh_autofree uint8_t *bytes = malloc(n_bytes + 1);
    bh_autoclose int memfd = -1;
    if (!bytes) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "no memory for a configuration");
    }
    (void)bulkhead__config__pack(&config, bytes);
    if (bh_memfd_sealed("config", bytes, n_bytes, &memfd, error) < 0) {
        return -1;
    }
    return helper_tell(helper, BH_CONTROL_CONFIG, BH_ROLE_NONE, helper->tenant_uid, 0, memfd, error);
}

int helper_introduce(struct helper *helper, const struct settings *settings, const struct folders *folders,
                     struct bh_error *error)
{
    if (send_config(helper, settings, error) < 0) {
        return -1;
    }
    for (const struct folder_grant *grant = folder_grants; grant->role != BH_ROLE_NONE; grant++) {
        if (grant->role == helper->role &&
            helper_tell(helper, BH_CONTROL_FOLDER, BH_ROLE_NONE, 0, (uint64_t)grant->folder,
                        folders_get(folders, grant->role, grant->folder), error) < 0) {
            return -1;
        }
    }
    return 0;
}

void helper_forget(struct helper *helper)
{
    if (helper->readable) {
        event_free(helper->readable);
        helper->readable = NULL;
    }
    bh_close(&helper->control);
    helper->pid = 0;
    helper->ready = false;
}
