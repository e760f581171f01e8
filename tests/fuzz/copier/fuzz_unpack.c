/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as an archive into a container: what it names lies inside, whatever links it makes, and what was unpacked
 * can be packed again, twice to the same bytes. A thread with a root of its own plays the container; the folder beside
 * that root must stay as it was. Needs root.
 */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "place.h"
#include "tar_writer.h"
#include "tree.h"
#include "unpack.h"
#include "fuzz.h"

#define CANARY     "untouched"
#define TREE_BYTES "size=64m,nr_inodes=20000" /* a sparse file may be large, what is written not */

/* ---- the container's side ------------------------------------------------------------------------------------ */

struct job {
    int host; /* of the folder that holds the root and the canary */
    int source;
    unsigned int variant; /* which of Docker's options */
};

static enum walk_step add(void *argument, const struct walk_entry *entry, struct bh_error *error)
{
    return tar_writer_add(argument, entry->folder, entry->name, entry->path, &entry->status, error) < 0 ? WALK_FAILED
                                                                                                        : WALK_ON;
}

/* How large a sparse file may be that is written out. */
static enum walk_step look(void *argument, const struct walk_entry *entry, struct bh_error *error)
{
    (void)error;
    *(uint64_t *)argument += S_ISREG(entry->status.st_mode) ? (uint64_t)entry->status.st_size : 0;
    return WALK_ON;
}

static int pack(int root)
{
    struct bh_error error = {0};
    tar_writer_auto struct tar_writer *writer = NULL;
    int fd = memfd_create("packed", MFD_CLOEXEC);
    const struct walk walk = {.visit = add, .root = root};
    if (fd < 0 || tar_writer_open(fd, &writer, &error) < 0) {
        fuzz_wrong();
    }
    struct walk again = walk;
    again.argument = writer;
    if (walk_tree(root, &again, &error) < 0 || tar_writer_finish(writer, &error) < 0) {
        if (error.code != BH_RESOURCE_EXHAUSTED) { /* a path longer than Linux takes */
            fuzz_wrong();
        }
    }
    return fd;
}

static void must_be_equal(int one, int other)
{
    char left[65536], right[65536];
    (void)lseek(one, 0, SEEK_SET);
    (void)lseek(other, 0, SEEK_SET);
    for (;;) {
        ssize_t n = read(one, left, sizeof(left));
        if (n < 0 || n != read(other, right, sizeof(right)) || memcmp(left, right, (size_t)n) != 0) {
            fuzz_wrong();
        }
        if (n == 0) {
            return;
        }
    }
}

static void pack_twice(int root)
{
    struct bh_error error = {0};
    uint64_t bytes = 0;
    const struct walk walk = {.visit = look, .argument = &bytes, .root = root};
    if (walk_tree(root, &walk, &error) < 0 || bytes > 1024 * 1024) {
        return;
    }
    bh_autoclose int first = pack(root);
    bh_autoclose int second = pack(root);
    must_be_equal(first, second);
}

static void *contain(void *argument)
{
    const struct job *job = argument;
    struct bh_error error = {0};
    if (unshare(CLONE_FS) < 0 || fchdir(job->host) < 0 || chroot("root") < 0 || chdir("/") < 0) {
        fuzz_wrong();
    }
    bh_autoclose int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const struct unpack wish = {
        .root = root,
        .path = job->variant & 4 ? "/b" : "/",
        .owner_set = job->variant & 1,
        .uid = 5,
        .gid = 6,
        .no_overwrite_dir_non_dir = job->variant & 2,
    };
    if (unpack(&wish, job->source, &error) < 0 && error.code == BH_OK) {
        fuzz_wrong();
    }
    pack_twice(root);
    return NULL;
}

/* ---- the host's side ----------------------------------------------------------------------------------------- */

/* A tmpfs of our own, seen by nobody else, on a folder that is gone already. */
static int make_host(void)
{
    char folder[] = "/tmp/bulkhead-fuzz.XXXXXX";
    if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 || !mkdtemp(folder) ||
        mount("fuzz", folder, "tmpfs", MS_NOSUID | MS_NODEV, TREE_BYTES) < 0) {
        perror("fuzz-copier-unpack must be root");
        fuzz_wrong();
    }
    int host = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (host < 0 || umount2(folder, MNT_DETACH) < 0 || rmdir(folder) < 0) {
        fuzz_wrong();
    }
    return host;
}

static void put_canary(int host)
{
    bh_autoclose int canary = openat(host, "canary", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (canary < 0 || write(canary, CANARY, sizeof(CANARY)) != sizeof(CANARY)) {
        fuzz_wrong();
    }
}

static void must_be_untouched(int host)
{
    char text[sizeof(CANARY) + 1] = "";
    struct stat status;
    struct name_list names = {0};
    struct bh_error error = {0};
    bh_autoclose int canary = openat(host, "canary", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (canary < 0 || fstat(canary, &status) < 0 || status.st_mode != (S_IFREG | 0600) || status.st_nlink != 1 ||
        read(canary, text, sizeof(text)) != sizeof(CANARY) || strcmp(text, CANARY) != 0 ||
        names_read(host, &names, &error) < 0 || names.n != 2) {
        fuzz_wrong();
    }
    names_free(&names);
}

static void clear_root(int host)
{
    struct bh_error error = {0};
    const struct place root = {.folder = host, .name = "root", .shown = "root"};
    if (place_clear(&root, &error) < 0) {
        fuzz_wrong();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes)
{
    static int host = -1;
    pthread_t thread;
    if (host < 0) {
        host = make_host();
        put_canary(host);
    }
    clear_root(host); /* a run that was ended leaves it */
    bh_autoclose int source = memfd_create("archive", MFD_CLOEXEC);
    struct job job = {.host = host, .source = source, .variant = (unsigned int)(n_bytes / 512 % 8)};
    if (source < 0 || write(source, bytes, n_bytes) != (ssize_t)n_bytes || lseek(source, 0, SEEK_SET) < 0 ||
        mkdirat(host, "root", 0755) < 0 || pthread_create(&thread, NULL, contain, &job) != 0) {
        fuzz_wrong();
    }
    (void)pthread_join(thread, NULL);
    must_be_untouched(host);
    clear_root(host);
    return 0;
}
