/* SPDX-License-Identifier: Apache-2.0
 *
 * Looking things up in /proc and /sys for `doctor`.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Reads the start of a file, NUL-terminated. -1 if it cannot be opened. */
int doctor_read(const char *path, char *buffer, size_t buffer_bytes);

/* True if `word` stands in `text` between white space. */
bool doctor_text_has_word(const char *text, const char *word);
bool doctor_file_has_word(const char *path, const char *word);
