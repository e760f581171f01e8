/* SPDX-License-Identifier: Apache-2.0
 *
 * Small readers of kernel files.
 */
#include "doctor_files.h"

#include <ctype.h>
#include <fcntl.h>
#include <string.h>

#include "common/cleanup.h"

int doctor_read(const char *path, char *buffer, size_t buffer_bytes)
{
    bh_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n_read = fd < 0 ? -1 : read(fd, buffer, buffer_bytes - 1);
    buffer[n_read > 0 ? n_read : 0] = '\0';
    return n_read < 0 ? -1 : 0;
}

bool doctor_text_has_word(const char *text, const char *word)
{
    size_t n_word = strlen(word);
    for (const char *at = text; (at = strstr(at, word)) != NULL; at++) {
        bool begins = at == text || isspace((unsigned char)at[-1]);
        if (begins && (at[n_word] == '\0' || isspace((unsigned char)at[n_word]))) {
            return true;
        }
    }
    return false;
}

bool doctor_file_has_word(const char *path, const char *word)
{
    char text[8192];
    return doctor_read(path, text, sizeof(text)) == 0 && doctor_text_has_word(text, word);
}
