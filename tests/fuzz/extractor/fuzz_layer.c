/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a layer: refused, or an image that the store's check accepts; and so does fsck.erofs, which knows
 * nothing of ours, of a sample: every BULKHEAD_FSCK_EVERY-th image (1000 unless that is set; 0: none).
 */
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "extract.h"

#include "common/cleanup.h"
#include "services/store/erofs_check.h"
#include "fuzz.h"

#define FSCK_EVERY 1000

extern char **environ;

static void ignore(void *argument, uint64_t compressed_bytes)
{
    (void)argument;
    (void)compressed_bytes;
}

static void must_satisfy_fsck(int image)
{
    static char program[] = "fsck.erofs", quiet[] = "-d0";
    char path[64];
    char *arguments[] = {program, quiet, path, NULL};
    pid_t pid = 0;
    int status = 0;
    (void)snprintf(path, sizeof(path), "/proc/%d/fd/%d", getpid(), image);
    if (posix_spawnp(&pid, program, NULL, NULL, arguments, environ) != 0 || waitpid(pid, &status, 0) != pid ||
        status != 0) {
        fuzz_wrong();
    }
}

static void sample(int image)
{
    static unsigned long every = FSCK_EVERY, n_images;
    static bool known;
    if (!known) {
        const char *wish = getenv("BULKHEAD_FSCK_EVERY");
        every = wish ? strtoul(wish, NULL, 10) : every;
        known = true;
    }
    if (every > 0 && n_images++ % every == 0) {
        must_satisfy_fsck(image);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes)
{
    static const struct job_end no_end = {.channel_fd = -1, .stop_fd = -1};
    bh_autoclose int source = memfd_create("source", MFD_CLOEXEC);
    bh_autoclose int image = memfd_create("image", MFD_CLOEXEC);
    if (source < 0 || image < 0 || write(source, bytes, n_bytes) != (ssize_t)n_bytes ||
        lseek(source, 0, SEEK_SET) < 0) {
        fuzz_wrong();
    }
    struct extract_result result;
    struct bh_error error = {0};
    if (extract_layer(source, image, &no_end, ignore, NULL, &result, &error) < 0) {
        return 0;
    }
    struct erofs_summary summary;
    if (erofs_check(image, &summary, &error) < 0) {
        fuzz_wrong();
    }
    sample(image);
    return 0;
}
