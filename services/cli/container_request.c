/* SPDX-License-Identifier: Apache-2.0
 *
 * Builds the create request. Every value is checked here as far as the user's words go; what may be done is the
 * engine's and its policy's to say.
 */
#include "container_request.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/io.h"
#include "common/limits.h"
#include "container_health.h"
#include "container_network.h"
#include "container_resources.h"
#include "env_file.h"
#include "fields.h"
#include "label_map.h"
#include "value_mount.h"
#include "values.h"

#define SECCOMP_FILE_BYTES_MAX (4 * BH_MIB)

int container_attachment_of(const struct container_options *options, struct container_attachment *ret_attachment,
                            struct bh_error *error)
{
    struct container_attachment attachment = {0};
    for (size_t i = 0; i < options->attach.count; i++) {
        const char *stream = options->attach.items[i];
        attachment.stdin_on = attachment.stdin_on || strcasecmp(stream, "stdin") == 0;
        attachment.stdout_on = attachment.stdout_on || strcasecmp(stream, "stdout") == 0;
        attachment.stderr_on = attachment.stderr_on || strcasecmp(stream, "stderr") == 0;
        if (strcasecmp(stream, "stdin") != 0 && strcasecmp(stream, "stdout") != 0 &&
            strcasecmp(stream, "stderr") != 0) {
            return bh_error_set(
                error, BH_INVALID_ARGUMENT,
                "invalid argument \"%s\" for \"-a, --attach\" flag: valid streams are STDIN, STDOUT and STDERR",
                stream);
        }
    }
    if (options->detach && options->attach.count > 0) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "Conflicting options: -a and -d");
    }
    if (!options->detach && options->attach.count == 0) {
        attachment = (struct container_attachment){options->interactive, true, true};
    }
    *ret_attachment = attachment;
    return 0;
}

static int add_environment(json_t *request, const struct container_options *options, struct bh_error *error)
{
    strings_auto struct strings env = {0}, labels = {0};
    if (env_collect(&options->env_files, &options->env, &env, error) < 0) {
        return -1;
    }
    for (size_t i = 0; i < options->label_files.count; i++) {
        if (env_file_read(options->label_files.items[i], NULL, &labels, error) < 0) {
            return -1;
        }
    }
    for (size_t i = 0; i < options->labels.count; i++) {
        if (strings_add_copy(&labels, options->labels.items[i], strlen(options->labels.items[i]), error) < 0) {
            return -1;
        }
    }
    return field_set_list(request, "Env", &env, error) < 0 ? -1 : label_map_set(request, "Labels", &labels, error);
}

/* Mounts: -v, --tmpfs and --mount. */
static int add_mounts(json_t *request, json_t *host, const struct container_options *options, struct bh_error *error)
{
    char folder[BH_PATH_BYTES_MAX + 1];
    strings_auto struct strings binds = {0};
    if (!getcwd(folder, sizeof(folder))) {
        return bh_error_errno(error, errno, "find the current folder");
    }
    json_auto json_t *tmpfs = json_object(), *mounts = json_array(), *volumes = json_object();
    for (size_t i = 0; i < options->volumes.count; i++) {
        bh_autofree char *bind = NULL;
        const char *text = options->volumes.items[i];
        if (value_bind(text, folder, &bind, error) < 0 || (bind ? strings_add_copy(&binds, bind, strlen(bind), error)
                                                                : field_set(volumes, text, json_object(), error)) < 0) {
            return -1;
        }
    }
    for (size_t i = 0; i < options->tmpfs.count; i++) {
        bh_autofree char *path = NULL;
        const char *tmpfs_options = NULL;
        if (value_tmpfs(options->tmpfs.items[i], &path, &tmpfs_options, error) < 0 ||
            field_set(tmpfs, path, json_string(tmpfs_options), error) < 0) {
            return -1;
        }
    }
    for (size_t i = 0; i < options->mounts.count; i++) {
        json_t *mount = NULL;
        if (value_mount(options->mounts.items[i], folder, &mount, error) < 0 ||
            field_append(mounts, mount, error) < 0) {
            return -1;
        }
    }
    if ((json_object_size(volumes) && field_set(request, "Volumes", json_incref(volumes), error) < 0) ||
        (json_object_size(tmpfs) && field_set(host, "Tmpfs", json_incref(tmpfs), error) < 0) ||
        (json_array_size(mounts) && field_set(host, "Mounts", json_incref(mounts), error) < 0)) {
        return -1;
    }
    return field_set_list(host, "Binds", &binds, error) < 0 ||
                   field_set_list(host, "VolumesFrom", &options->volumes_from, error) < 0 ||
                   field_set_text(host, "VolumeDriver", options->volume_driver, error) < 0
               ? -1
               : 0;
}

/* seccomp=FILE: the file's content is what the API takes. Everything else goes as it is. */
static int add_security(json_t *host, const struct container_options *options, struct bh_error *error)
{
    strings_auto struct strings words = {0};
    for (size_t i = 0; i < options->security_opt.count; i++) {
        const char *word = options->security_opt.items[i];
        if (strcmp(word, "systempaths=unconfined") == 0) { /* the API says this by lists that are empty */
            if (field_set(host, "MaskedPaths", json_array(), error) < 0 ||
                field_set(host, "ReadonlyPaths", json_array(), error) < 0) {
                return -1;
            }
            continue;
        }
        bool is_file = strings_begins(word, "seccomp=") && strcmp(word, "seccomp=unconfined") != 0 &&
                       strcmp(word, "seccomp=builtin") != 0;
        if (!is_file) {
            if (strings_add_copy(&words, word, strlen(word), error) < 0) {
                return -1;
            }
            continue;
        }
        const char *path = word + strlen("seccomp=");
        bh_autofree char *text = NULL, *whole = NULL;
        size_t n_text = 0;
        bh_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0) {
            return bh_error_errno(error, errno, "opening seccomp profile (%s) failed", path);
        }
        if (bh_read_file(fd, SECCOMP_FILE_BYTES_MAX, &text, &n_text, path, error) < 0 ||
            strings_format(&whole, error, "seccomp=%s", text) < 0 ||
            strings_add_copy(&words, whole, strlen(whole), error) < 0) {
            return -1;
        }
    }
    return field_set_list(host, "SecurityOpt", &words, error);
}

static int add_policy_and_log(json_t *host, const struct container_options *options, struct bh_error *error)
{
    json_t *policy = NULL;
    if (options->restart && options->remove && strcmp(options->restart, "no") != 0) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "Conflicting options: --restart and --rm");
    }
    if (options->restart && (value_restart_policy(options->restart, &policy, error) < 0 ||
                             field_set(host, "RestartPolicy", policy, error) < 0)) {
        return -1;
    }
    if (!options->log_driver && options->log_options.count == 0) {
        return 0;
    }
    if (options->log_driver && strcmp(options->log_driver, "none") == 0 && options->log_options.count > 0) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid logging opts for driver none");
    }
    json_t *log = json_pack("{s:s}", "Type", options->log_driver ? options->log_driver : "");
    return field_set(host, "LogConfig", log, error) < 0 ? -1
                                                        : label_map_set(log, "Config", &options->log_options, error);
}

static int add_isolation(json_t *host, const struct container_options *options, struct bh_error *error)
{
    return field_set_list(host, "CapAdd", &options->cap_add, error) < 0 ||
                   field_set_list(host, "CapDrop", &options->cap_drop, error) < 0 ||
                   add_security(host, options, error) < 0 ||
                   field_set_list(host, "GroupAdd", &options->group_add, error) < 0 ||
                   label_map_set(host, "Sysctls", &options->sysctls, error) < 0 ||
                   label_map_set(host, "Annotations", &options->annotations, error) < 0 ||
                   label_map_set(host, "StorageOpt", &options->storage_options, error) < 0 ||
                   field_set_text(host, "Runtime", options->runtime, error) < 0 ||
                   field_set_text(host, "Isolation", options->isolation, error) < 0 ||
                   field_set_text(host, "PidMode", options->pid_mode, error) < 0 ||
                   field_set_text(host, "IpcMode", options->ipc_mode, error) < 0 ||
                   field_set_text(host, "UTSMode", options->uts_mode, error) < 0 ||
                   field_set_text(host, "CgroupnsMode", options->cgroupns_mode, error) < 0 ||
                   field_set_text(host, "UsernsMode", options->userns_mode, error) < 0 ||
                   field_set_text(host, "CgroupParent", options->cgroup_parent, error) < 0 ||
                   field_set_flag(host, "Privileged", options->privileged, error) < 0 ||
                   field_set_flag(host, "ReadonlyRootfs", options->read_only, error) < 0 ||
                   field_set_flag(host, "Init", options->init, error) < 0 ||
                   field_set_flag(host, "AutoRemove", options->remove, error) < 0
               ? -1
               : 0;
}

static int add_process(json_t *request, const struct container_options *options,
                       const struct container_attachment *attachment, const struct strings *arguments,
                       struct bh_error *error)
{
    const struct strings command = {.items = arguments->items + 1, .count = arguments->count - 1};
    json_t *entrypoint = NULL;
    if (options->entrypoint) {
        /* --entrypoint "" takes the image's away, which the API writes as [""] */
        entrypoint = json_pack("[s]", options->entrypoint);
        if (field_set(request, "Entrypoint", entrypoint, error) < 0) {
            return -1;
        }
    }
    return field_set_text(request, "Image", arguments->items[0], error) < 0 ||
                   field_set_list(request, "Cmd", &command, error) < 0 ||
                   field_set_text(request, "Hostname", options->host_name, error) < 0 ||
                   field_set_text(request, "Domainname", options->domain_name, error) < 0 ||
                   field_set_text(request, "User", options->user, error) < 0 ||
                   field_set_text(request, "WorkingDir", options->working_dir, error) < 0 ||
                   field_set_text(request, "StopSignal", options->stop_signal, error) < 0 ||
                   field_set_integer(request, "StopTimeout", options->stop_timeout.given, options->stop_timeout.value,
                                     error) < 0 ||
                   field_set_flag(request, "Tty", options->tty, error) < 0 ||
                   field_set_flag(request, "OpenStdin", options->interactive, error) < 0 ||
                   field_set_flag(request, "StdinOnce", options->interactive && attachment->stdin_on, error) < 0 ||
                   field_set_flag(request, "AttachStdin", attachment->stdin_on, error) < 0 ||
                   field_set_flag(request, "AttachStdout", attachment->stdout_on, error) < 0 ||
                   field_set_flag(request, "AttachStderr", attachment->stderr_on, error) < 0
               ? -1
               : 0;
}

/* What this engine has no meaning for is said so, and not passed over. */
static int refuse_foreign(const struct container_options *options, struct bh_error *error)
{
    const struct {
        const char *name;
        bool given;
    } of_windows[] = {
        {"cpu-count", options->cpu_count.given && options->cpu_count.value != 0},
        {"cpu-percent", options->cpu_percent.given && options->cpu_percent.value != 0},
        {"io-maxbandwidth", options->io_bandwidth != NULL},
        {"io-maxiops", options->io_operations.given && options->io_operations.value != 0},
    };
    for (size_t i = 0; i < sizeof(of_windows) / sizeof(*of_windows); i++) {
        if (of_windows[i].given) {
            return bh_error_set(error, BH_UNIMPLEMENTED, "--%s is for Windows containers, and this engine runs Linux",
                                of_windows[i].name);
        }
    }
    if (options->trust_demanded) {
        return bh_error_set(
            error, BH_UNIMPLEMENTED,
            "--disable-content-trust=false: which images are trusted is policy's to say, not this client's");
    }
    return options->api_socket
               ? bh_error_set(error, BH_UNIMPLEMENTED,
                              "--use-api-socket: the engine's socket would make the container the tenant itself")
               : 0;
}

int container_request_build(const struct container_options *options, const struct container_attachment *attachment,
                            const struct strings *arguments, json_t **ret_request, struct bh_error *error)
{
    json_auto json_t *request = json_object();
    json_t *host = json_object();
    if (!request || field_set(request, "HostConfig", host, error) < 0) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "out of memory");
    }
    if (refuse_foreign(options, error) < 0 || add_process(request, options, attachment, arguments, error) < 0 ||
        add_environment(request, options, error) < 0 || container_health_add(request, options, error) < 0 ||
        container_network_add(request, host, options, error) < 0 || add_mounts(request, host, options, error) < 0 ||
        container_resources_add_limits(host, options, error) < 0 ||
        container_resources_add_devices(host, options, error) < 0 || add_isolation(host, options, error) < 0 ||
        add_policy_and_log(host, options, error) < 0) {
        return -1;
    }
    *ret_request = bh_steal_pointer(&request);
    return 0;
}
