/* SPDX-License-Identifier: Apache-2.0
 *
 * Allocations that fail; see fuzz.h. The linker leads every allocation of ours, and libFuzzer's call of the target,
 * here
 * (--wrap); those of libraries are as they were.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"

#pragma clang diagnostic ignored "-Wmissing-prototypes" /* it is the linker who calls them */

void *__real_malloc(size_t n_bytes);
void *__real_calloc(size_t n, size_t n_bytes);
void *__real_realloc(void *pointer, size_t n_bytes);
void *__real_reallocarray(void *pointer, size_t n, size_t n_bytes);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t n_bytes);
ssize_t __real_read(int fd, void *bytes, size_t n_bytes);
ssize_t __real_write(int fd, const void *bytes, size_t n_bytes);
ssize_t __real_pread(int fd, void *bytes, size_t n_bytes, off_t offset);
ssize_t __real_pwrite(int fd, const void *bytes, size_t n_bytes, off_t offset);
off_t __real_lseek(int fd, off_t offset, int whence);
int __real_ftruncate(int fd, off_t n_bytes);
int __real_fstat(int fd, struct stat *status);
int __real_mkdirat(int folder, const char *name, mode_t mode);
int __real_unlinkat(int folder, const char *name, int flags);
int __real_LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes);

static atomic_ulong n_calls;  /* of this run, so far */
static unsigned long failing; /* the one that fails, counted from 1; 0: none */
static pthread_t runner;
static jmp_buf end_of_run;

static bool fails(void)
{
    return atomic_fetch_add(&n_calls, 1) + 1 == failing;
}

void *__wrap_malloc(size_t n_bytes)
{
    return fails() ? NULL : __real_malloc(n_bytes);
}

void *__wrap_calloc(size_t n, size_t n_bytes)
{
    return fails() ? NULL : __real_calloc(n, n_bytes);
}

void *__wrap_realloc(void *pointer, size_t n_bytes)
{
    return fails() ? NULL : __real_realloc(pointer, n_bytes);
}

void *__wrap_reallocarray(void *pointer, size_t n, size_t n_bytes)
{
    return fails() ? NULL : __real_reallocarray(pointer, n, n_bytes);
}

char *__wrap_strdup(const char *text)
{
    return fails() ? NULL : __real_strdup(text);
}

char *__wrap_strndup(const char *text, size_t n_bytes)
{
    return fails() ? NULL : __real_strndup(text, n_bytes);
}

static bool fails_with_eio(void)
{
    bool does = fails();
    errno = does ? EIO : errno;
    return does;
}

ssize_t __wrap_read(int fd, void *bytes, size_t n_bytes)
{
    return fails_with_eio() ? -1 : __real_read(fd, bytes, n_bytes);
}

ssize_t __wrap_write(int fd, const void *bytes, size_t n_bytes)
{
    return fails_with_eio() ? -1 : __real_write(fd, bytes, n_bytes);
}

ssize_t __wrap_pread(int fd, void *bytes, size_t n_bytes, off_t offset)
{
    return fails_with_eio() ? -1 : __real_pread(fd, bytes, n_bytes, offset);
}

ssize_t __wrap_pwrite(int fd, const void *bytes, size_t n_bytes, off_t offset)
{
    return fails_with_eio() ? -1 : __real_pwrite(fd, bytes, n_bytes, offset);
}

off_t __wrap_lseek(int fd, off_t offset, int whence)
{
    return fails_with_eio() ? -1 : __real_lseek(fd, offset, whence);
}

int __wrap_ftruncate(int fd, off_t n_bytes)
{
    return fails_with_eio() ? -1 : __real_ftruncate(fd, n_bytes);
}

int __wrap_fstat(int fd, struct stat *status)
{
    return fails_with_eio() ? -1 : __real_fstat(fd, status);
}

int __wrap_mkdirat(int folder, const char *name, mode_t mode)
{
    return fails_with_eio() ? -1 : __real_mkdirat(folder, name, mode);
}

int __wrap_unlinkat(int folder, const char *name, int flags)
{
    return fails_with_eio() ? -1 : __real_unlinkat(folder, name, flags);
}

void fuzz_wrong(void)
{
    if (failing == 0 || atomic_load(&n_calls) < failing) {
        abort();
    }
    if (pthread_equal(pthread_self(), runner)) {
        longjmp(end_of_run, 1);
    }
    pthread_exit(NULL);
}

static unsigned long wished(void)
{
    static unsigned long times;
    static bool known;
    if (!known) {
        const char *wish = getenv("BULKHEAD_STARVE");
        struct rlimit files;
        known = true;
        times = wish ? strtoul(wish, NULL, 10) : 0;
        if (times > 0 && getrlimit(RLIMIT_NOFILE, &files) == 0) { /* a run that is ended leaves some open */
            files.rlim_cur = files.rlim_max;
            (void)setrlimit(RLIMIT_NOFILE, &files);
        }
    }
    return times;
}

/* Not -1 ("leave this input out of the corpus"), whatever an ended run would have said. */
static void run_failing(unsigned long number, const uint8_t *bytes, size_t n_bytes)
{
    failing = number;
    atomic_store(&n_calls, 0);
    if (setjmp(end_of_run) == 0) {
        (void)__real_LLVMFuzzerTestOneInput(bytes, n_bytes);
    }
    failing = 0;
}

int __wrap_LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes)
{
    unsigned long times = wished();
    runner = pthread_self();
    atomic_store(&n_calls, 0);
    int result = __real_LLVMFuzzerTestOneInput(bytes, n_bytes);
    unsigned long n = atomic_load(&n_calls);
    unsigned long step = times > 0 && n > times ? n / times : 1;
    for (unsigned long number = 1; times > 0 && number <= n; number += step) {
        run_failing(number, bytes, n_bytes);
    }
    return result;
}
