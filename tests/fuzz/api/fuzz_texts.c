/* SPDX-License-Identifier: Apache-2.0
 *
 * Small languages of clients: a seccomp profile, credentials, keys that detach, moments, the lines of a Dockerfile; and
 * the processes that the executor's worker copied. The first byte chooses. Refused with a reason, or read.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/docker_time.h"
#include "common/docker_when.h"
#include "common/size.h"
#include "detach_keys.h"
#include "dockerfile_words.h"
#include "process_list.h"
#include "registry_auth.h"
#include "seccomp_profile.h"
#include "fuzz.h"

static int read_profile(const char *text, size_t n_bytes, struct bh_error *error)
{
    Bulkhead__SeccompProfile *profile = NULL;
    int result = seccomp_profile_parse(text, n_bytes, "amd64", "6.1.0", &profile, error);
    if (result == 0) {
        bulkhead__seccomp_profile__free_unpacked(profile, NULL);
    }
    return result;
}

static int read_credentials(const char *text, size_t n_bytes, struct bh_error *error)
{
    Bulkhead__Credentials *credentials = NULL;
    (void)n_bytes;
    int result = registry_auth_parse(text, &credentials, error);
    if (result == 0 && credentials) {
        bulkhead__credentials__free_unpacked(credentials, NULL);
    }
    return result;
}

static int read_keys(const char *text, size_t n_bytes, struct bh_error *error)
{
    struct detach_keys keys;
    (void)n_bytes;
    return detach_keys_parse(text, &keys, error);
}

static int read_moment(const char *text, size_t n_bytes, struct bh_error *error)
{
    char again[DOCKER_TIME_SIZE];
    int64_t ns = 0, same = 0;
    uint64_t size = 0;
    struct bh_error other = {0};
    (void)docker_duration_parse(text, &ns, &other);
    (void)docker_when_parse("since", text, (int64_t)1700000000 * 1000000000, &ns, &other);
    (void)bh_size_parse(text, &size);
    if (docker_time_parse(text, n_bytes, &ns, error) < 0) {
        return -1;
    }
    (void)docker_time(ns, again);
    if (ns > 0 && (docker_time_parse(again, strlen(again), &same, &other) < 0 || same != ns)) {
        fuzz_wrong();
    }
    return 0;
}

static int read_dockerfile(const char *text, size_t n_bytes, struct bh_error *error)
{
    static char variable[] = "A=1", path[] = "PATH=/bin";
    static char *const env[] = {variable, path};
    const char *cursor = text;
    (void)n_bytes;
    for (;;) {
        dockerfile_line_auto line = {0};
        int more = dockerfile_next_line(&cursor, &line, error);
        if (more <= 0) {
            break;
        }
    }
    bh_autofree char *word = NULL;
    struct bh_error other = {0};
    (void)dockerfile_expand(text, env, 2, &word, &other);
    return 0;
}

static int read_processes(const char *text, size_t n_bytes, struct bh_error *error)
{
    struct process_list list;
    bh_autoclose int fd = memfd_create("processes", MFD_CLOEXEC);
    if (fd < 0 || write(fd, text, n_bytes) != (ssize_t)n_bytes) {
        fuzz_wrong();
    }
    int result = process_list_read(fd, &list, error);
    if (result == 0) {
        process_list_free(&list);
    }
    return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes)
{
    static int (*const readers[])(const char *, size_t, struct bh_error *) = {
        read_profile, read_credentials, read_keys, read_moment, read_dockerfile, read_processes,
    };
    if (n_bytes == 0) {
        return 0;
    }
    struct bh_error error = {0};
    bh_autofree char *text = malloc(n_bytes);
    if (!text) {
        fuzz_wrong();
    }
    memcpy(text, bytes + 1, n_bytes - 1);
    text[n_bytes - 1] = '\0';
    if (readers[bytes[0] % (sizeof(readers) / sizeof(readers[0]))](text, n_bytes - 1, &error) < 0 &&
        error.code == BH_OK) {
        fuzz_wrong();
    }
    return 0;
}
