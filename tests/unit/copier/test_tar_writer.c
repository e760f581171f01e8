/* SPDX-License-Identifier: Apache-2.0
 *
 * Archives as bytes: what is in them of a tree that changes, lies, or cannot be read, and writers whose pipe nobody
 * reads.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>
#ifdef BH_SANITIZE
#include <sanitizer/lsan_interface.h>
#endif

#include "common/cleanup.h"
#include "common/io.h"
#include "tar_writer.h"

static char folder[] = "/tmp/bh-tar-XXXXXX";
static int root, archive;
static struct tar_writer *writer;
static struct bh_error error;

static void open_all(void)
{
    cr_assert(mkdtemp(folder));
    root = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    archive = memfd_create("archive", MFD_CLOEXEC);
    cr_assert(root >= 0 && archive >= 0);
    cr_assert_eq(tar_writer_open(archive, &writer, &error), 0);
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *position)
{
    (void)status;
    (void)kind;
    (void)position;
    return remove(path);
}

static void close_all(void)
{
    tar_writer_free(&writer);
    bh_close(&root);
    bh_close(&archive);
    (void)nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

TestSuite(tar_writer, .init = open_all, .fini = close_all, .timeout = 30);

static void put(const char *name, const char *text)
{
    bh_autoclose int fd = openat(root, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0640);
    cr_assert(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    const struct timespec times[2] = {{.tv_sec = 1000, .tv_nsec = 5}, {.tv_sec = 1000, .tv_nsec = 5}};
    cr_assert_eq(futimens(fd, times), 0);
}

static int add_as(const char *name, mode_t kind)
{
    struct stat status = {0};
    if (fstatat(root, name, &status, AT_SYMLINK_NOFOLLOW) < 0 || kind) {
        status.st_mode = kind;
    }
    return tar_writer_add(writer, root, name, name, &status, &error);
}
static void add(const char *name)
{
    cr_assert_eq(add_as(name, 0), 0, "%s: %s", name, error.message);
}

/* ---- the bytes (POSIX.1-2017, pax, "ustar Interchange Format") ------------------------------------------------ */

struct header {
    char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[100], magic[8], user[32],
        group[32], major[8], minor[8], prefix[155], padding[12];
};

/* Reads the header at *at, and moves there behind its content. False at the archive's end. */
static bool next_header(size_t *at, struct header *header)
{
    static const struct header end;
    cr_assert_eq(pread(archive, header, sizeof(*header), (off_t)*at), (ssize_t)sizeof(*header));
    *at += sizeof(*header) + (strtoul(header->size, NULL, 8) + 511) / 512 * 512;
    return memcmp(header, &end, sizeof(end)) != 0;
}

static void expect(size_t *at, const char *name, char type, unsigned long size)
{
    struct header header;
    cr_assert(next_header(at, &header), "%s is missing", name);
    cr_expect_str_eq(header.name, name);
    cr_expect_eq(header.type, type, "%s has type %c", name, header.type);
    cr_expect_eq(strtoul(header.size, NULL, 8), size, "%s", name);
    cr_expect_eq(header.user[0], 0, "no name of a user's");
}

static void expect_end(size_t at)
{
    struct header header;
    cr_assert_eq(tar_writer_finish(writer, &error), 0, "%s", error.message);
    cr_expect_not(next_header(&at, &header), "and \"%.100s\"", header.name);
}

Test(tar_writer, every_kind)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    bh_autoclose int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket", folder);
    put("file", "some text");
    cr_assert_eq(mkdirat(root, "folder", 0751), 0);
    cr_assert_eq(symlinkat("/etc/passwd", root, "link"), 0);
    cr_assert_eq(mkfifoat(root, "fifo", 0600), 0);
    cr_assert_eq(mknodat(root, "null", S_IFCHR | 0666, makedev(1, 3)), 0);
    cr_assert_eq(mknodat(root, "disk", S_IFBLK | 0660, makedev(259, 300)), 0);
    cr_assert_eq(linkat(root, "file", root, "same", 0), 0);
    cr_assert_eq(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
    static const char *const names[] = {"file", "folder", "link", "fifo", "null", "disk", "same", "socket"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        add(names[i]);
    }
    cr_assert_eq(tar_writer_add_mark(writer, ".wh.gone", &error), 0);
    size_t at = 0, end;
    cr_assert_eq(tar_writer_finish(writer, &error), 0);
    struct header header;
    expect(&at, "file", '0', 9);
    expect(&at, "folder/", '5', 0);
    end = at;
    expect(&at, "link", '2', 0);
    cr_assert(next_header(&end, &header));
    cr_expect_str_eq(header.link, "/etc/passwd");
    expect(&at, "fifo", '6', 0);
    end = at;
    expect(&at, "null", '3', 0);
    cr_assert(next_header(&end, &header));
    cr_expect_eq(strtoul(header.major, NULL, 8), 1);
    cr_expect_eq(strtoul(header.minor, NULL, 8), 3);
    expect(&at, "disk", '4', 0);
    end = at;
    expect(&at, "same", '1', 0);
    cr_assert(next_header(&end, &header));
    cr_expect_str_eq(header.link, "file", "a second name is a hard link to the first");
    end = at;
    expect(&at, ".wh.gone", '0', 0);
    cr_assert(next_header(&end, &header));
    cr_expect_eq(strtoul(header.mode, NULL, 8), 0);
    cr_expect_eq(strtoul(header.mtime, NULL, 8), 0);
    cr_expect_not(next_header(&at, &header), "sockets are left out");
}

Test(tar_writer, the_same_files_make_the_same_bytes)
{
    put("file", "some text");
    add("file");
    cr_assert_eq(tar_writer_finish(writer, &error), 0);
    bh_autoclose int first = bh_steal_fd(&archive);
    tar_writer_free(&writer);
    archive = memfd_create("archive", MFD_CLOEXEC);
    cr_assert_eq(tar_writer_open(archive, &writer, &error), 0);
    cr_assert_eq(unlinkat(root, "file", 0), 0);
    put("file", "some text"); /* another inode, of another moment */
    add("file");
    cr_assert_eq(tar_writer_finish(writer, &error), 0);
    char left[8192], right[8192];
    ssize_t n = pread(first, left, sizeof(left), 0);
    cr_assert_gt(n, 1024);
    cr_assert_eq(pread(archive, right, sizeof(right), 0), n);
    cr_assert_eq(memcmp(left, right, (size_t)n), 0);
}

Test(tar_writer, what_is_gone_or_something_else_by_now_is_passed_over)
{
    put("file", "x");
    cr_assert_eq(mkfifoat(root, "fifo", 0600), 0);
    cr_assert_eq(symlinkat("file", root, "link"), 0);
    static const struct {
        const char *name;
        mode_t kind;
    } changed[] = {{"absent", S_IFREG}, {"absent", S_IFLNK}, {"absent", S_IFDIR}, {"fifo", S_IFREG}, {"link", S_IFREG},
                   {"file", S_IFLNK},   {"file", S_IFDIR},   {"link", S_IFDIR},   {"file", 0170000}};
    for (size_t i = 0; i < sizeof(changed) / sizeof(changed[0]); i++) {
        cr_expect_eq(add_as(changed[i].name, changed[i].kind), 0, "%s: %s", changed[i].name, error.message);
    }
    expect_end(0);
}

Test(tar_writer, what_cannot_be_read_is_said)
{
    static const mode_t kinds[] = {S_IFREG, S_IFLNK, S_IFDIR};
    char name[300];
    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    for (size_t i = 0; i < 3; i++) {
        error = (struct bh_error){0};
        cr_expect_eq(add_as(name, kinds[i]), -1);
        cr_expect(strstr(error.message, "nnn"), "it names what: %s", error.message);
        cr_expect_eq(error.sys_errno, ENAMETOOLONG, "%s", error.message);
    }
    put("file", "x");
    bh_autoclose int file = openat(root, "file", O_RDONLY | O_CLOEXEC);
    cr_expect_eq(tar_writer_add_folder(writer, file, "entry", &error), -1);
    cr_expect(strstr(error.message, "entry"), "%s", error.message);
}

/* A file of sysfs says it had a page, and has a line. */
Test(tar_writer, a_file_that_is_shorter_than_it_says_is_made_up_with_zeros)
{
    struct stat status;
    bh_autoclose int kernel = open("/sys/kernel", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    cr_assert_eq(fstatat(kernel, "uevent_seqnum", &status, 0), 0);
    cr_assert_eq(status.st_size, 4096);
    cr_assert_eq(tar_writer_add(writer, kernel, "uevent_seqnum", "number", &status, &error), 0, "%s", error.message);
    put("behind", "x");
    add("behind");
    cr_assert_eq(tar_writer_finish(writer, &error), 0);
    char content[4096];
    size_t at = 0;
    cr_assert_eq(pread(archive, content, sizeof(content), 512), (ssize_t)sizeof(content));
    cr_expect(content[0] >= '0' && content[0] <= '9');
    cr_expect_eq(content[4095], 0);
    expect(&at, "number", '0', 4096);
    expect(&at, "behind", '0', 1);
}

/* libarchive 3.6 does not free its block after a write that failed; the copier ends with its archive. */
static void open_on(int fd)
{
    tar_writer_free(&writer);
#ifdef BH_SANITIZE
    __lsan_disable();
#endif
    cr_assert_eq(tar_writer_open(fd, &writer, &error), 0);
#ifdef BH_SANITIZE
    __lsan_enable();
#endif
}

Test(tar_writer, an_archive_that_is_given_up_has_no_end)
{
    put("file", "x");
    add("file");
    tar_writer_free(&writer);
    cr_expect_eq(lseek(archive, 0, SEEK_END), 0, "its block was not full");
}

Test(tar_writer, a_pipe_that_nobody_reads)
{
    int ends[2];
    (void)signal(SIGPIPE, SIG_IGN);
    cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
    bh_close(&ends[0]);
    open_on(ends[1]);
    put("file", "x");
    add("file"); /* it waits in a block */
    cr_expect_eq(tar_writer_finish(writer, &error), -1);
    cr_expect_eq(error.sys_errno, EPIPE, "%s", error.message);

    open_on(ends[1]);
    bh_autoclose int large = openat(root, "large", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    cr_assert_eq(ftruncate(large, 4 << 20), 0);
    cr_expect_eq(add_as("large", 0), -1, "more than a block");
    cr_expect_eq(error.sys_errno, EPIPE, "%s", error.message);
    cr_expect_eq(add_as("file", 0), -1, "nor anything behind it");
    bh_close(&ends[1]);
}

Test(tar_writer, names_that_are_no_text)
{
    put("\xff\xfe", "x");
    add("\xff\xfe");
    size_t at = 0;
    cr_assert_eq(tar_writer_finish(writer, &error), 0);
    struct header header;
    bool found = false;
    while (next_header(&at, &header)) {
        found |= header.type == '0' && memcmp(header.name, "\xff\xfe", 3) == 0;
    }
    cr_expect(found, "it has its bytes");
}
