/* SPDX-License-Identifier: Apache-2.0
 *
 * Errors as values. A function that can fail returns 0 or -1 and takes a `struct bh_error *` as its
 * last argument; the first failure fills it in, every layer it crosses may add one sentence of
 * context. Nothing here allocates, logs or exits. Everybody stands on this file.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* gRPC's canonical codes, with gRPC's numbers (google/rpc/code.proto). */
enum bh_code {
    BH_OK = 0,
    BH_CANCELLED = 1,
    BH_UNKNOWN = 2,
    BH_INVALID_ARGUMENT = 3,
    BH_DEADLINE_EXCEEDED = 4,
    BH_NOT_FOUND = 5,
    BH_ALREADY_EXISTS = 6,
    BH_PERMISSION_DENIED = 7,
    BH_RESOURCE_EXHAUSTED = 8,
    BH_FAILED_PRECONDITION = 9,
    BH_ABORTED = 10,
    BH_OUT_OF_RANGE = 11,
    BH_UNIMPLEMENTED = 12,
    BH_INTERNAL = 13,
    BH_UNAVAILABLE = 14,
    BH_DATA_LOSS = 15,
    BH_UNAUTHENTICATED = 16,
};

#define BH_ERROR_MESSAGE_SIZE 512
#define BH_ERROR_CONTEXT_SIZE 160
#define BH_ERROR_CONTEXT_MAX  6

struct bh_error {
    enum bh_code code;
    int sys_errno;                                             /* 0 unless a system call failed */
    char message[BH_ERROR_MESSAGE_SIZE];                       /* what was attempted on what, and why it failed */
    size_t n_context;                                          /* context[0] is the innermost */
    char context[BH_ERROR_CONTEXT_MAX][BH_ERROR_CONTEXT_SIZE]; /* further wraps are dropped */
};

/* Each of these returns -1, so that `return bh_error_set(...)` reads well. `error` may be NULL.
 * Control characters in the finished text are replaced by '?': names from outside may stand in it. */
int bh_error_set(struct bh_error *error, enum bh_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Like bh_error_set(), for a failed system call: derives the code from `err` and appends its text,
 * as in `open "/etc/x": Permission denied`. */
int bh_error_errno(struct bh_error *error, int err, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Adds one sentence of context to an error that is already set. */
int bh_error_wrap(struct bh_error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Writes "outermost context: ...: message" to `buffer`, always terminated. Returns `buffer`. */
const char *bh_error_format(const struct bh_error *error, char *buffer, size_t buffer_bytes);

/* The canonical upper-case name of a code ("NOT_FOUND"); "UNKNOWN" for a number that is none. */
const char *bh_code_name(enum bh_code code);

/* The code that fits a system call's errno best. */
enum bh_code bh_code_from_errno(int err);

/* Makes `error` the empty error. */
void bh_error_clear(struct bh_error *error);
