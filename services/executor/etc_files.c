/* SPDX-License-Identifier: Apache-2.0
 *
 * /etc/hostname, /etc/hosts and /etc/resolv.conf of a container: written anew at each start into its own folder, which
 * only root reaches, and bound over whatever the image has there. Owned by the container's root, who may edit them.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "act.h"
#include "common/cleanup.h"
#include "common/io.h"

#define HOST_FILE_BYTES_MAX 65536

/* The host's own file, as it is. Absent: empty. */
static void copy_host_file(FILE *stream, const char *path)
{
    bh_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    bh_autofree char *text = NULL;
    size_t n = 0;
    if (fd >= 0 && bh_read_file(fd, HOST_FILE_BYTES_MAX, &text, &n, path, NULL) == 0) {
        (void)fwrite(text, 1, n, stream);
    }
}

static void write_hosts(FILE *stream, const struct container_spec *spec)
{
    if (spec->network == SPEC_NETWORK_HOST) {
        copy_host_file(stream, "/etc/hosts");
    } else {
        (void)fputs("127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\nfe00::\tip6-localnet\n"
                    "ff00::\tip6-mcastprefix\nff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n",
                    stream);
    }
    for (size_t i = 0; i < spec->extra_hosts.n; i++) {
        const char *entry = spec->extra_hosts.items[i], *colon = strchr(entry, ':');
        (void)fprintf(stream, "%s\t%.*s\n", colon + 1, (int)(colon - entry), entry);
    }
}

static void write_words(FILE *stream, const char *keyword, const struct spec_text_list *words)
{
    for (size_t i = 0; i < words->n; i++) {
        (void)fprintf(stream, "%s %s", i == 0 ? keyword : "", words->items[i]);
    }
    if (words->n > 0) {
        (void)fputc('\n', stream);
    }
}

static void write_resolv_conf(FILE *stream, const struct container_spec *spec)
{
    if (spec->dns_servers.n == 0 && spec->dns_search.n == 0 && spec->dns_options.n == 0) {
        copy_host_file(stream, "/etc/resolv.conf");
        return;
    }
    for (size_t i = 0; i < spec->dns_servers.n; i++) {
        (void)fprintf(stream, "nameserver %s\n", spec->dns_servers.items[i]);
    }
    write_words(stream, "search", &spec->dns_search);
    write_words(stream, "options", &spec->dns_options);
}

static void write_host_name(FILE *stream, const struct container_spec *spec)
{
    (void)fprintf(stream, "%s\n", spec->host_name);
}

static const struct {
    const char *name;
    void (*write)(FILE *stream, const struct container_spec *spec);
} files[] = {{"hostname", write_host_name}, {"hosts", write_hosts}, {"resolv.conf", write_resolv_conf}};

int file_prepare(struct launch *launch, struct operation *operation, struct bh_error *error)
{
    struct mount_attr attributes = {.attr_set = operation->attributes, .propagation = MS_PRIVATE};
    bh_autoclose int fd =
        openat(launch->folder, operation->source, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (fd < 0 || fchown(fd, launch->spec->id_base, launch->spec->id_base) < 0) {
        return bh_error_errno(error, errno, "write %s", operation->source);
    }
    bh_autofclose FILE *stream = fdopen(fd, "w");
    if (!stream) {
        return bh_error_errno(error, errno, "write %s", operation->source);
    }
    (void)bh_steal_fd(&fd);
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        if (strcmp(files[i].name, operation->source) == 0) {
            files[i].write(stream, launch->spec);
        }
    }
    if (fflush(stream) != 0) {
        return bh_error_errno(error, errno, "write %s", operation->source);
    }
    operation->fd =
        open_tree(launch->folder, operation->source, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW);
    return operation->fd < 0 || mount_setattr(operation->fd, "", AT_EMPTY_PATH, &attributes, sizeof(attributes)) < 0
               ? bh_error_errno(error, errno, "mount %s", operation->source)
               : 0;
}
