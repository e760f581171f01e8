/* SPDX-License-Identifier: Apache-2.0
 *
 * Small whole-or-nothing helpers over read(2), write(2) and memfds, for blocking descriptors.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/error.h"

/* Writes all of it, resuming after EINTR and short writes. `what` names the target in errors. */
int bh_write_all(int fd, const void *bytes, size_t n_bytes, const char *what, struct bh_error *error);

/* Reads until `n_bytes` or end of file; *ret_bytes tells which. */
int bh_read_full(int fd, void *buffer, size_t n_bytes, size_t *ret_bytes, const char *what, struct bh_error *error);

/* Reads at most `max_bytes` from the start of a file into a new NUL-terminated buffer; more is RESOURCE_EXHAUSTED. */
int bh_read_file(int fd, size_t max_bytes, char **ret_text, size_t *ret_bytes, const char *what,
                 struct bh_error *error);

/* Makes a sealed (no write, grow, shrink, further seals) memfd holding `bytes`. */
int bh_memfd_sealed(const char *name, const void *bytes, size_t n_bytes, int *ret_fd, struct bh_error *error);

/* Maps nothing: checks the seals of a received memfd and reads it whole into a new buffer. */
int bh_memfd_read(int fd, size_t max_bytes, void **ret_bytes, size_t *ret_n_bytes, struct bh_error *error);

/* Monotonic clock in milliseconds, and the wall clock in nanoseconds since 1970. */
uint64_t bh_now_ms(void);
int64_t bh_wall_ns(void);
