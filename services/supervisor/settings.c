/* SPDX-License-Identifier: Apache-2.0
 *
 * Settings; see settings.h.
 */
#include "settings.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "address_pool.h"
#include "common/cleanup.h"
#include "common/io.h"

#define CONFIG_PATH      "/etc/bulkhead/bulkhead.conf"
#define CONFIG_BYTES_MAX (256 * 1024)

enum kind { PATH, TEXT, PREFIX, NUMBER, MODE, LEVEL, LIST, URLS, POOLS };

/* One row a key; `lists` are cumulative, everything else is what was said last. */
static const struct key {
    const char *name;
    enum kind kind;
    size_t offset;
    size_t size;        /* TEXT: of the buffer; LIST: offset of its count */
    uint32_t low, high; /* NUMBER, MODE */
    const char *help;
} keys[] = {
    {"state", PATH, offsetof(struct settings, state), 0, 0, 0, "folder for everything the engine keeps"},
    {"socket", PATH, offsetof(struct settings, socket), 0, 0, 0, "unix socket of the API"},
    {"socket_mode", MODE, offsetof(struct settings, socket_mode), 0, 0, 0777, "permissions of the socket, octal"},
    {"socket_group", TEXT, offsetof(struct settings, socket_group), 64, 0, 0, "group of the socket, by name or number"},
    {"libexec", PATH, offsetof(struct settings, libexec), 0, 0, 0, "folder of the helpers' programs"},
    {"policy", PATH, offsetof(struct settings, policy), 0, 0, 0, "folder of the rule files (policy.d)"},
    {"certs", PATH, offsetof(struct settings, certs), 0, 0, 0, "folder of the registries' certificates (certs.d)"},
    {"cgroup_parent", TEXT, offsetof(struct settings, cgroup_parent), 64, 0, 0, "cgroup below which containers live"},
    {"link_prefix", PREFIX, offsetof(struct settings, link_prefix), SETTINGS_LINK_PREFIX_SIZE, 0, 0,
     "two letters or digits that network links begin with"},
    {"log_level", LEVEL, offsetof(struct settings, log_level), 0, 0, 0, "error, warning, info or debug"},
    {"uid_base", NUMBER, offsetof(struct settings, uid_base), 0, 1000, 0x7fff0000, "helpers run as this + their role"},
    {"api_uid_base", NUMBER, offsetof(struct settings, api_uid_base), 0, 1000, 0x7fff0000,
     "first uid of api processes"},
    {"monitor_uid_base", NUMBER, offsetof(struct settings, monitor_uid_base), 0, 1000, 0x7fff0000,
     "first uid of monitors"},
    {"tenant_id_base", NUMBER, offsetof(struct settings, tenant_id_base), 0, 65536, 0x7fff0000,
     "first id of the tenants' ranges"},
    {"tenant_id_count", NUMBER, offsetof(struct settings, tenant_id_count), 0, 1, 32767, "number of ranges"},
    {"insecure_registry", LIST, offsetof(struct settings, insecure_registries),
     offsetof(struct settings, n_insecure_registries), 0, 0,
     "host[:port] or CIDR that may speak plain HTTP; repeatable"},
    {"private_registry", LIST, offsetof(struct settings, private_registries),
     offsetof(struct settings, n_private_registries), 0, 0, "host[:port] that may have a private address; repeatable"},
    {"registry_mirror", URLS, offsetof(struct settings, registry_mirrors),
     offsetof(struct settings, n_registry_mirrors), 0, 0,
     "http[s]://host[:port] asked for Docker Hub's images first; repeatable"},
    {"address_pool", POOLS, offsetof(struct settings, address_pools), offsetof(struct settings, n_address_pools), 0, 0,
     "base=NETWORK/PREFIX,size=PREFIX of which networks get subnets; repeatable"},
};
#define N_KEYS (sizeof(keys) / sizeof(keys[0]))

void settings_defaults(struct settings *settings)
{
    *settings = (struct settings){
        .state = "/var/lib/bulkhead",
        .socket = "/run/bulkhead/bulkhead.sock",
        .socket_mode = 0660,
        .libexec = "/usr/libexec/bulkhead",
        .policy = "/etc/bulkhead/policy.d",
        .certs = "/etc/bulkhead/certs.d",
        .cgroup_parent = "bulkhead",
        .link_prefix = "bh",
        .log_level = BH_LOG_INFO,
        /* Ranges that neither Debian's adduser, nor subuid's defaults, nor systemd (container base 0x80000, foreign
         * 0x7ffe0000) hand out. */
        .monitor_uid_base = 0x6ffc0000,
        .api_uid_base = 0x6ffd0000,
        .uid_base = 0x6ffe0000,
        .tenant_id_base = 0x70000000,
        .tenant_id_count = 4094,
    };
}

static int set_path(char *slot, const char *key, const char *value, struct bh_error *error)
{
    if (value[0] != '/' || strlen(value) >= PATH_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "%s \"%s\" is not an absolute path", key, value);
    }
    memcpy(slot, value, strlen(value) + 1);
    return 0;
}

static int set_number(uint32_t *slot, const struct key *key, const char *value, struct bh_error *error)
{
    int base = key->kind == MODE ? 8 : 0;
    char *end = NULL;
    errno = 0;
    unsigned long number = strtoul(value, &end, base);
    if (!isdigit((unsigned char)value[0]) || *end || errno || number < key->low || number > key->high) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            base == 8 ? "%s \"%s\" is not an octal number from %o to %o"
                                      : "%s \"%s\" is not a number from %u to %u",
                            key->name, value, key->low, key->high);
    }
    *slot = (uint32_t)number;
    return 0;
}

static int set_level(enum bh_log_level *slot, const char *value, struct bh_error *error)
{
    static const char *const names[] = {"error", "warning", "info", "debug"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(names[i], value) == 0) {
            *slot = (enum bh_log_level)i;
            return 0;
        }
    }
    return bh_error_set(error, BH_INVALID_ARGUMENT, "log_level \"%s\" is none of error, warning, info, debug", value);
}

static int add_to_list(char **list, uint32_t *count, const struct key *key, const char *value, struct bh_error *error)
{
    char *copy = *count < SETTINGS_LIST_MAX ? strdup(value) : NULL;
    if (!copy) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "more than %d times %s", SETTINGS_LIST_MAX, key->name);
    }
    list[(*count)++] = copy;
    return 0;
}

/* Docker's rules for a mirror: a scheme, a host, perhaps a port, and nothing else. */
static int check_url(const struct key *key, const char *value, struct bh_error *error)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]";
    bool plain = strncmp(value, "http://", 7) == 0;
    const char *host = plain || strncmp(value, "https://", 8) == 0 ? value + (plain ? 7 : 8) : "";
    size_t length = strspn(host, allowed);
    if (length == 0 || length > 253 + 6 || (host[length] != '\0' && strcmp(host + length, "/") != 0)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "%s \"%s\" must be http://HOST[:PORT] or https://HOST[:PORT] without a path", key->name,
                            value);
    }
    return 0;
}

/* Link names have 15 characters: two of them tell engines of one host apart. */
static int set_prefix(char *slot, const struct key *key, const char *value, struct bh_error *error)
{
    size_t length = strspn(value, "abcdefghijklmnopqrstuvwxyz0123456789");
    if (length != key->size - 1 || value[length] != '\0') {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "%s \"%s\" must be %zu characters of a-z and 0-9", key->name,
                            value, key->size - 1);
    }
    memcpy(slot, value, key->size);
    return 0;
}

static int check_pool(const char *value, struct bh_error *error)
{
    struct ip_pool pool;
    return address_pool_parse(value, &pool, error);
}

int settings_set(struct settings *settings, const char *name, const char *value, struct bh_error *error)
{
    const struct key *key = NULL;
    for (size_t i = 0; i < N_KEYS; i++) {
        key = strcmp(keys[i].name, name) == 0 ? &keys[i] : key;
    }
    if (!key) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "there is no setting \"%s\"", name);
    }
    if (!*value) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "%s needs a value: %s", name, key->help);
    }
    char *slot = (char *)settings + key->offset;
    switch (key->kind) {
    case PATH:
        return set_path(slot, name, value, error);
    case TEXT:
        if (strlen(value) >= key->size) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "%s \"%s\" is longer than %zu", name, value, key->size - 1);
        }
        memcpy(slot, value, strlen(value) + 1);
        return 0;
    case PREFIX:
        return set_prefix(slot, key, value, error);
    case NUMBER:
    case MODE:
        return set_number((uint32_t *)(void *)slot, key, value, error);
    case LEVEL:
        return set_level((enum bh_log_level *)(void *)slot, value, error);
    case URLS:
    case POOLS:
        if ((key->kind == URLS ? check_url(key, value, error) : check_pool(value, error)) < 0) {
            return -1;
        }
        __attribute__((fallthrough));
    case LIST:
        return add_to_list((char **)(void *)slot, (uint32_t *)(void *)((char *)settings + key->size), key, value,
                           error);
    }
    return -1;
}

static int parse_line(struct settings *settings, char *line, struct bh_error *error)
{
    line += strspn(line, " \t");
    if (!*line || *line == '#') {
        return 0;
    }
    size_t name = strcspn(line, " \t");
    char *value = line + name + strspn(line + name, " \t");
    line[name] = '\0';
    for (size_t end = strlen(value); end > 0 && isspace((unsigned char)value[end - 1]); end--) {
        value[end - 1] = '\0';
    }
    return settings_set(settings, line, value, error);
}

static int parse_file(struct settings *settings, const char *path, bool must_exist, struct bh_error *error)
{
    bh_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (fd < 0) {
        return errno == ENOENT && !must_exist ? 0 : bh_error_errno(error, errno, "open \"%s\"", path);
    }
    if (fstat(fd, &status) < 0 || status.st_uid != 0 || (status.st_mode & (S_IWGRP | S_IWOTH))) {
        return bh_error_set(error, BH_PERMISSION_DENIED, "\"%s\" must belong to root and be writable by nobody else",
                            path);
    }
    bh_autofree char *text = NULL;
    size_t n_bytes = 0;
    if (bh_read_file(fd, CONFIG_BYTES_MAX, &text, &n_bytes, path, error) < 0) {
        return -1;
    }
    unsigned int number = 0;
    for (char *line = text, *next; line; line = next) {
        next = strchr(line, '\n');
        if (next) {
            *next++ = '\0';
        }
        number++;
        if (parse_line(settings, line, error) < 0) {
            return bh_error_wrap(error, "%s:%u", path, number);
        }
    }
    return 0;
}

static void print_help(void)
{
    (void)printf("usage: bulkheadd [--config FILE] [--KEY VALUE]...\n\n"
                 "Runs the container engine in the foreground until SIGTERM; containers go on running.\n"
                 "SIGHUP reads the rule files again. Every key of the configuration file (default " CONFIG_PATH
                 ")\nis a flag too:\n\n");
    for (size_t i = 0; i < N_KEYS; i++) {
        (void)printf("  --%-18s %s\n", keys[i].name, keys[i].help);
    }
}

int settings_parse(int argc, char **argv, struct settings *ret_settings, struct bh_error *error)
{
    settings_defaults(ret_settings);
    const char *config = NULL;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            print_help();
            return SETTINGS_EXIT;
        }
        if (strcmp(argv[i], "--version") == 0) {
            (void)printf("bulkheadd %s\n", BH_VERSION);
            return SETTINGS_EXIT;
        }
        if (strcmp(argv[i], "--config") == 0 && i + 1 < argc) {
            config = argv[i + 1];
        }
    }
    if (parse_file(ret_settings, config ? config : CONFIG_PATH, config != NULL, error) < 0) {
        return -1;
    }
    for (int i = 1; i < argc; i += 2) {
        if (strncmp(argv[i], "--", 2) != 0 || i + 1 >= argc) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "\"%s\" is not of the form --KEY VALUE (see --help)",
                                argv[i]);
        }
        if (strcmp(argv[i], "--config") != 0 && settings_set(ret_settings, argv[i] + 2, argv[i + 1], error) < 0) {
            return bh_error_wrap(error, "flag %s", argv[i]);
        }
    }
    /* Docker's own default: a registry on this host may be plain. */
    return ret_settings->n_insecure_registries ? 0
                                               : settings_set(ret_settings, "insecure_registry", "127.0.0.0/8", error);
}
