/* SPDX-License-Identifier: Apache-2.0
 *
 * HostConfig.LogConfig: which log drivers there are, and which options each takes. Rows of two tables; a driver or an
 * option that is in none is refused by name.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/limits.h"
#include "common/size.h"
#include "create.h"

#define LOCAL_MAX_BYTES (20 * BH_MIB) /* Docker's defaults of the driver `local` */
#define LOCAL_MAX_FILES 5
#define FILES_MAX       10000

enum { JSON_FILE = 1, LOCAL = 2, JOURNALD = 4, EVERY = JSON_FILE | LOCAL | JOURNALD };

struct driver {
    const char *name;
    Bulkhead__LogDriver driver;
    unsigned bit;
    uint64_t max_bytes;
    uint32_t max_files;
    bool compress;
};

/* The journal gets its lines; what `docker logs` reads back is kept beside it, as much as `local` keeps. */
static const struct driver drivers[] = {
    {"json-file", BULKHEAD__LOG_DRIVER__LOG_DRIVER_JSON_FILE, JSON_FILE, 0, 1, false},
    {"local", BULKHEAD__LOG_DRIVER__LOG_DRIVER_LOCAL, LOCAL, LOCAL_MAX_BYTES, LOCAL_MAX_FILES, true},
    {"journald", BULKHEAD__LOG_DRIVER__LOG_DRIVER_JOURNALD, JOURNALD, LOCAL_MAX_BYTES, LOCAL_MAX_FILES, true},
    {"none", BULKHEAD__LOG_DRIVER__LOG_DRIVER_NONE, 0, 0, 0, false},
};

static int invalid(struct bh_error *error, const char *name, const char *value, const char *wanted)
{
    return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid log option %s=\"%s\": it must be %s", name, value, wanted);
}

static int option_max_size(Bulkhead__ContainerRequest *request, const char *value, struct bh_error *error)
{
    uint64_t n_bytes;
    if (bh_size_parse(value, &n_bytes) < 0 || n_bytes == 0) {
        return invalid(error, "max-size", value, "like 10m");
    }
    request->log->max_bytes = n_bytes;
    return 0;
}

static int option_max_file(Bulkhead__ContainerRequest *request, const char *value, struct bh_error *error)
{
    char *end;
    unsigned long files = strtoul(value, &end, 10);
    if (*value < '0' || *value > '9' || *end || files < 1 || files > FILES_MAX) {
        char wanted[32];
        (void)snprintf(wanted, sizeof(wanted), "from 1 to %d", FILES_MAX);
        return invalid(error, "max-file", value, wanted);
    }
    request->log->max_files = (uint32_t)files;
    return 0;
}

/* Go's strconv.ParseBool, which Docker reads it with. 1, 0, -1. */
static int parse_bool(const char *value)
{
    static const char *const yes[] = {"1", "t", "T", "TRUE", "true", "True"};
    static const char *const no[] = {"0", "f", "F", "FALSE", "false", "False"};
    for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
        if (strcmp(yes[i], value) == 0) {
            return 1;
        }
        if (strcmp(no[i], value) == 0) {
            return 0;
        }
    }
    return -1;
}

static int option_compress(Bulkhead__ContainerRequest *request, const char *value, struct bh_error *error)
{
    int compress = parse_bool(value);
    if (compress < 0) {
        return invalid(error, "compress", value, "true or false");
    }
    request->log->compress = compress;
    return 0;
}

/* Writing a line never waits for anybody but the disk, so there is nothing to buffer: both modes mean the same. */
static int option_mode(Bulkhead__ContainerRequest *request, const char *value, struct bh_error *error)
{
    (void)request;
    return strcmp(value, "blocking") == 0 || strcmp(value, "non-blocking") == 0
               ? 0
               : bh_error_set(error, BH_INVALID_ARGUMENT,
                              "logger: logging mode not supported: %s: blocking and non-blocking are", value);
}

static int option_buffer(Bulkhead__ContainerRequest *request, const char *value, struct bh_error *error)
{
    uint64_t n_bytes;
    for (size_t i = 0; i < request->n_log_options; i++) {
        if (strcmp(request->log_options[i]->key, "mode") == 0 &&
            strcmp(request->log_options[i]->value, "non-blocking") == 0) {
            return bh_size_parse(value, &n_bytes) == 0 ? 0 : invalid(error, "max-buffer-size", value, "like 4m");
        }
    }
    return bh_error_set(error, BH_INVALID_ARGUMENT,
                        "logger: max-buffer-size option is only supported with 'mode=non-blocking'");
}

static int option_tag(Bulkhead__ContainerRequest *request, const char *value, struct bh_error *error)
{
    return set_string(&request->log->tag, value, error);
}

/* A list of names: "a,b". */
static int add_names(const char *value, const char *name, char ***list, size_t *count, struct bh_error *error)
{
    bh_autofree char *copy = strdup(value);
    char *rest = copy, *item;
    *list = calloc(BH_LOG_ATTRIBUTES_MAX, sizeof(**list));
    if (!copy || !*list) {
        return bh_error_errno(error, ENOMEM, "read the log options");
    }
    while ((item = strsep(&rest, ",")) != NULL) {
        if (*item == '\0') {
            continue;
        }
        if (*count == BH_LOG_ATTRIBUTES_MAX) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "log option %s names more than %d", name,
                                BH_LOG_ATTRIBUTES_MAX);
        }
        if (((*list)[*count] = strdup(item)) == NULL) {
            return bh_error_errno(error, ENOMEM, "read the log options");
        }
        (*count)++;
    }
    return 0;
}

static int option_labels(Bulkhead__ContainerRequest *request, const char *value, struct bh_error *error)
{
    return add_names(value, "labels", &request->log_labels, &request->n_log_labels, error);
}

static int option_env(Bulkhead__ContainerRequest *request, const char *value, struct bh_error *error)
{
    return add_names(value, "env", &request->log_env, &request->n_log_env, error);
}

/* The engine compiles them, when the container is created. */
static int option_labels_pattern(Bulkhead__ContainerRequest *request, const char *value, struct bh_error *error)
{
    return set_string(&request->log_labels_pattern, value, error);
}

static int option_env_pattern(Bulkhead__ContainerRequest *request, const char *value, struct bh_error *error)
{
    return set_string(&request->log_env_pattern, value, error);
}

static const struct option {
    const char *name;
    unsigned drivers;
    int (*read)(Bulkhead__ContainerRequest *request, const char *value, struct bh_error *error);
} options[] = {
    {"max-size", JSON_FILE | LOCAL, option_max_size},
    {"max-file", JSON_FILE | LOCAL, option_max_file},
    {"compress", JSON_FILE | LOCAL, option_compress},
    {"mode", EVERY, option_mode},
    {"max-buffer-size", EVERY, option_buffer},
    {"labels", JSON_FILE | JOURNALD, option_labels},
    {"labels-regex", JSON_FILE | JOURNALD, option_labels_pattern},
    {"env", JSON_FILE | JOURNALD, option_env},
    {"env-regex", JSON_FILE | JOURNALD, option_env_pattern},
    {"tag", JSON_FILE | JOURNALD, option_tag},
};

static int read_option(const struct driver *driver, Bulkhead__ContainerRequest *request, const char *name,
                       const char *value, struct bh_error *error)
{
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        if (strcmp(options[i].name, name) == 0 && (options[i].drivers & driver->bit)) {
            return options[i].read(request, value, error);
        }
    }
    return driver->bit
               ? bh_error_set(error, BH_INVALID_ARGUMENT, "unknown log opt '%s' for %s log driver", name, driver->name)
               : bh_error_set(error, BH_INVALID_ARGUMENT, "log option %s: the log driver none takes none", name);
}

static void set_defaults(const struct driver *driver, Bulkhead__LogOptions *log)
{
    log->driver = driver->driver;
    log->max_bytes = driver->max_bytes;
    log->max_files = driver->max_files;
    log->compress = driver->compress;
}

/* As much is kept in fewer files, which are larger then. */
static void join_files(Bulkhead__LogOptions *log)
{
    uint64_t total;
    if (log->max_files <= BH_LOG_FILES_MAX) {
        return;
    }
    bool overflow = __builtin_mul_overflow(log->max_bytes, (uint64_t)log->max_files, &total);
    log->max_bytes = overflow ? UINT64_MAX / BH_LOG_FILES_MAX : (total + BH_LOG_FILES_MAX - 1) / BH_LOG_FILES_MAX;
    log->max_files = BH_LOG_FILES_MAX;
}

/* One file is never rotated, and one without bound neither: the default `compress` means nothing then, and an asked for
 * one is refused. */
static int check_compress(Bulkhead__ContainerRequest *request, struct bh_error *error)
{
    Bulkhead__LogOptions *log = request->log;
    if (!log->compress || (log->max_bytes > 0 && log->max_files > 1)) {
        return 0;
    }
    log->compress = false;
    for (size_t i = 0; i < request->n_log_options; i++) {
        if (strcmp(request->log_options[i]->key, "compress") == 0) {
            return bh_error_set(error, BH_INVALID_ARGUMENT,
                                "compress cannot be true when max-file is less than 2 or max-size is not set");
        }
    }
    return 0;
}

static const struct driver *find_driver(const char *name)
{
    for (size_t i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++) {
        if (strcmp(drivers[i].name, name) == 0) {
            return &drivers[i];
        }
    }
    return NULL;
}

int log_config_default(struct create *create, struct bh_error *error)
{
    const struct driver *driver = &drivers[0];
    set_defaults(driver, create->request->log);
    return set_string(&create->request->log_driver, driver->name, error);
}

int read_log_config(struct create *create, const json_t *value, const char *where, struct bh_error *error)
{
    Bulkhead__ContainerRequest *request = create->request;
    if (json_is_null(value)) {
        return 0;
    }
    if (!json_is_object(value)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid JSON: %s must be an object", where);
    }
    const json_t *type = json_object_get(value, "Type");
    const json_t *config = json_object_get(value, "Config");
    if ((type && take_string(type, "HostConfig.LogConfig.Type", &request->log_driver, error) < 0) ||
        (config &&
         take_map(config, "HostConfig.LogConfig.Config", &request->n_log_options, &request->log_options, error) < 0) ||
        (*request->log_driver == '\0' && set_string(&request->log_driver, drivers[0].name, error) < 0)) {
        return -1;
    }
    const struct driver *driver = find_driver(request->log_driver);
    if (!driver) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "logger: no log driver named '%s' is registered: json-file, local, journald and none are",
                            request->log_driver);
    }
    set_defaults(driver, request->log);
    for (size_t i = 0; i < request->n_log_options; i++) {
        if (read_option(driver, request, request->log_options[i]->key, request->log_options[i]->value, error) < 0) {
            return -1;
        }
    }
    join_files(request->log);
    return check_compress(request, error);
}
