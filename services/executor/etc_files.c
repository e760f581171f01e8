/* SPDX-License-Identifier: Apache-2.0
 *
 * /etc/hostname, /etc/hosts and /etc/resolv.conf of a container: written anew at each start into its own folder, which
 * only root reaches, and bound over whatever the image has there. Owned by the container's root, who may edit them. The
 * host's files are root's; lines of them are copied, and not understood. A container that shares another one's network
 * has that one's hosts and resolv.conf.
 */
#include <arpa/inet.h>
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

/* The host's own file, as it is; NULL if it cannot be read. The caller's to free. */
static char *read_host_file(const char *path)
{
    bh_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    char *text = NULL;
    size_t n = 0;
    return fd >= 0 && bh_read_file(fd, HOST_FILE_BYTES_MAX, &text, &n, path, NULL) == 0 ? text : NULL;
}

/* ---- /etc/hosts ------------------------------------------------------------------------------------------ */

static void write_own_address(FILE *stream, const struct container_spec *spec, int family,
                              const ProtobufCBinaryData *address)
{
    char text[INET6_ADDRSTRLEN];
    if (address->len == 0 || !inet_ntop(family, address->data, text, sizeof(text))) {
        return;
    }
    (void)fprintf(stream, "%s\t%s", text, spec->host_name);
    if (*spec->domain_name) {
        (void)fprintf(stream, ".%s", spec->domain_name);
    }
    size_t n_bare = strcspn(spec->host_name, "."); /* the whole name may have been given as the host's */
    bool has_domain = *spec->domain_name || spec->host_name[n_bare];
    (void)fprintf(stream, has_domain ? " %.*s\n" : "\n", (int)n_bare, spec->host_name);
}

static void write_hosts(FILE *stream, const struct container_spec *spec)
{
    if (spec->network == SPEC_NETWORK_HOST) {
        bh_autofree char *host = read_host_file("/etc/hosts");
        (void)fputs(host ? host : "", stream);
    } else {
        (void)fputs("127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\nfe00::\tip6-localnet\n"
                    "ff00::\tip6-mcastprefix\nff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n",
                    stream);
    }
    for (size_t i = 0; i < spec->extra_hosts.n; i++) {
        const char *entry = spec->extra_hosts.items[i], *colon = strchr(entry, ':');
        (void)fprintf(stream, "%s\t%.*s\n", colon + 1, (int)(colon - entry), entry);
    }
    for (size_t i = 0; spec->attachment && i < spec->attachment->n_endpoints; i++) {
        write_own_address(stream, spec, AF_INET, &spec->attachment->endpoints[i]->address4);
        write_own_address(stream, spec, AF_INET6, &spec->attachment->endpoints[i]->address6);
    }
}

/* ---- /etc/resolv.conf ------------------------------------------------------------------------------------ */

/* The host's lines that begin with that word, as they are. Returns whether one of them says `sought`. */
static bool copy_lines(FILE *stream, const char *host, const char *keyword, const char *sought)
{
    size_t length = strlen(keyword);
    bool found = false;
    for (const char *line = host; line && *line;) {
        size_t n = strcspn(line, "\n");
        if (strncmp(line, keyword, length) == 0 && (line[length] == ' ' || line[length] == '\t')) {
            (void)fprintf(stream, "%.*s\n", (int)n, line);
            found = found || memmem(line, n, sought, strlen(sought));
        }
        line += n + (line[n] == '\n');
    }
    return found;
}

static bool write_words(FILE *stream, const char *keyword, const struct spec_text_list *words, const char *sought)
{
    bool found = false;
    for (size_t i = 0; i < words->n; i++) {
        (void)fprintf(stream, "%s %s", i == 0 ? keyword : "", words->items[i]);
        found = found || strncmp(words->items[i], sought, strlen(sought)) == 0;
    }
    if (words->n > 0) {
        (void)fputc('\n', stream);
    }
    return found;
}

static void write_servers(FILE *stream, const struct container_spec *spec, const char *host)
{
    if (spec->embedded_dns) { /* which knows the others */
        (void)fputs("nameserver 127.0.0.11\n", stream);
        return;
    }
    for (size_t i = 0; i < spec->dns_servers.n; i++) {
        (void)fprintf(stream, "nameserver %s\n", spec->dns_servers.items[i]);
    }
    if (spec->dns_servers.n == 0) {
        (void)copy_lines(stream, host, "nameserver", " ");
    }
}

/* What is not given is the host's. "." alone asks for no domain at all. */
static void write_resolv_conf(FILE *stream, const struct container_spec *spec)
{
    bh_autofree char *host = read_host_file("/etc/resolv.conf");
    bool no_search = spec->dns_search.n == 1 && strcmp(spec->dns_search.items[0], ".") == 0;
    write_servers(stream, spec, host);
    if (spec->dns_search.n == 0) {
        (void)copy_lines(stream, host, "domain", " ");
        (void)copy_lines(stream, host, "search", " ");
    } else if (!no_search) {
        (void)write_words(stream, "search", &spec->dns_search, " ");
    }
    bool has_dots = spec->dns_options.n > 0 ? write_words(stream, "options", &spec->dns_options, "ndots:")
                                            : copy_lines(stream, host, "options", "ndots:");
    if (spec->embedded_dns && !has_dots) { /* names of one word are asked for as they are */
        (void)fputs("options ndots:0\n", stream);
    }
}

/* ---- all of them ------------------------------------------------------------------------------------------ */

static void write_host_name(FILE *stream, const struct container_spec *spec)
{
    (void)fprintf(stream, "%s\n", spec->host_name);
}

static const struct {
    const char *name;
    void (*write)(FILE *stream, const struct container_spec *spec);
    bool of_network;
} files[] = {
    {"hostname", write_host_name, false}, {"hosts", write_hosts, true}, {"resolv.conf", write_resolv_conf, true}};

static int write_file(const struct launch *launch, size_t which, struct bh_error *error)
{
    const char *name = files[which].name;
    bh_autoclose int fd = openat(launch->folder, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (fd < 0 || fchown(fd, launch->spec->id_base, launch->spec->id_base) < 0) {
        return bh_error_errno(error, errno, "write %s", name);
    }
    bh_autofclose FILE *stream = fdopen(fd, "w");
    if (!stream) {
        return bh_error_errno(error, errno, "write %s", name);
    }
    (void)bh_steal_fd(&fd);
    files[which].write(stream, launch->spec);
    return fflush(stream) != 0 ? bh_error_errno(error, errno, "write %s", name) : 0;
}

/* The folder of the container whose network is shared; whose it is was looked at when its namespace was opened. */
static int open_other_folder(const struct launch *launch, int *ret_fd, struct bh_error *error)
{
    struct bh_digest id;
    char name[BH_DIGEST_HEX_SIZE];
    memcpy(id.bytes, launch->spec->join_network, sizeof(id.bytes));
    *ret_fd = openat(launch->executor->folders.containers, bh_digest_hex(&id, name),
                     O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return *ret_fd < 0 ? bh_error_errno(error, errno, "open the folder of container %.12s", name) : 0;
}

int file_prepare(struct launch *launch, struct operation *operation, struct bh_error *error)
{
    struct mount_attr attributes = {.attr_set = operation->attributes, .propagation = MS_PRIVATE};
    bh_autoclose int other = -1;
    size_t which = 0;
    while (strcmp(files[which].name, operation->source) != 0) {
        which++; /* the planner names no other one */
    }
    bool shares = launch->spec->join_network && files[which].of_network && !launch->show_only;
    if (shares ? open_other_folder(launch, &other, error) < 0 : write_file(launch, which, error) < 0) {
        return -1;
    }
    operation->fd = open_tree(shares ? other : launch->folder, operation->source,
                              OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW);
    return operation->fd < 0 || mount_setattr(operation->fd, "", AT_EMPTY_PATH, &attributes, sizeof(attributes)) < 0
               ? bh_error_errno(error, errno, "mount %s", operation->source)
               : 0;
}
