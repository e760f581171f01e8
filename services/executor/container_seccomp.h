/* SPDX-License-Identifier: Apache-2.0
 *
 * Seccomp filters for containers and monitors. libseccomp takes milliseconds to compile one, so what depends only on
 * the capabilities is compiled once and kept as the kernel's own instructions.
 */
#pragma once

#include <linux/filter.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "container.pb-c.h"

struct seccomp_program {
    struct sock_filter *instructions;
    size_t n;
};

#define SECCOMP_CACHE_MAX 16

struct seccomp_cache {
    struct {
        uint64_t capabilities; /* those the default profile asks about */
        struct seccomp_program program;
    } entries[SECCOMP_CACHE_MAX];
    size_t n, next;
    struct seccomp_program monitor;
};

/* Docker's default profile for a container with these capabilities. Borrowed from the cache. */
int seccomp_default_get(struct seccomp_cache *cache, uint64_t capabilities, const struct seccomp_program **ret_program,
                        struct bh_error *error);
/* What common/monitor_syscalls.h lists. Borrowed from the cache. */
int seccomp_monitor_get(struct seccomp_cache *cache, const struct seccomp_program **ret_program,
                        struct bh_error *error);
/* A user's profile. Refuses unknown enums, argument indices over 5, and a default action that is not its own. Owned by
 * the caller. */
int seccomp_compile_profile(const Bulkhead__SeccompProfile *profile, uint64_t capabilities,
                            struct seccomp_program *ret_program, struct bh_error *error);
void seccomp_program_free(struct seccomp_program *program);
void seccomp_cache_free(struct seccomp_cache *cache);

/* ---- the default profile as tables (seccomp_default.c) ------------------------------------------------ */

enum seccomp_compare { SECCOMP_COMPARE_LT, SECCOMP_COMPARE_EQ, SECCOMP_COMPARE_GT, SECCOMP_COMPARE_MASKED_EQ };

struct seccomp_capability_rule {
    uint64_t capability; /* 0 ends the table */
    const char *names[32];
};

struct seccomp_argument_rule {
    const char *name; /* NULL ends the table */
    unsigned int index;
    enum seccomp_compare compare;
    uint64_t value; /* MASKED_EQ: the mask */
    uint64_t masked_value;
    uint64_t unless_capability; /* the rule is dropped for a container that has it */
};

extern const char *const seccomp_default_always[];
extern const struct seccomp_capability_rule seccomp_default_capabilities[];
extern const struct seccomp_argument_rule seccomp_default_arguments[];
