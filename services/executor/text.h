/* SPDX-License-Identifier: Apache-2.0
 *
 * Small checks of strings from outside, shared by the validators. All of them are pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* At most `max` bytes, all of them printable ASCII letters, digits, or one of `others`; not empty. */
bool text_is_made_of(const char *text, const char *others, size_t max);
/* An absolute path without "." or ".." components, control characters, or more than BH_PATH_BYTES_MAX bytes. */
bool text_is_path(const char *text);
/* Relative, made of plain components ([A-Za-z0-9._:-], none "." or ".."), not empty. */
bool text_is_cgroup_path(const char *text);
/* An IPv4 or IPv6 address. */
bool text_is_address(const char *text);
/* A list like "0-3,7", as the kernel's cpuset takes it. */
bool text_is_cpu_list(const char *text);
/* No control characters at all (newlines forge lines of the files we write), at most `max` bytes. */
bool text_is_one_line(const char *text, size_t max);
