/* SPDX-License-Identifier: Apache-2.0
 *
 * The headers that `save` writes, of any name and size: libarchive, which knows nothing of them, reads back just that.
 */
#include <archive.h>
#include <archive_entry.h>
#include <stdlib.h>
#include <string.h>

#include "tar_write.h"
#include "fuzz.h"

/* Names are of our own making: printable, without empty components. */
static void take_name(const uint8_t *bytes, size_t n_bytes, char name[static TAR_NAME_BYTES_MAX])
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789._-/";
    size_t n = 0;
    for (size_t i = 0; i < n_bytes && n < TAR_NAME_BYTES_MAX - 2; i++) {
        char letter = letters[bytes[i] % (sizeof(letters) - 1)];
        if (letter != '/' || (n > 0 && name[n - 1] != '/')) {
            name[n++] = letter;
        }
    }
    while (n > 0 && name[n - 1] == '/') {
        n--;
    }
    name[n] = '\0';
}

static void must_read_back(char *archive, size_t n_archive, const char *name, enum tar_kind kind, uint64_t n_bytes)
{
    struct archive *reader = archive_read_new();
    struct archive_entry *entry = NULL;
    if (!reader || archive_read_support_format_tar(reader) != ARCHIVE_OK ||
        archive_read_open_memory(reader, archive, n_archive) != ARCHIVE_OK ||
        archive_read_next_header(reader, &entry) != ARCHIVE_OK || strcmp(archive_entry_pathname(entry), name) != 0 ||
        (uint64_t)archive_entry_size(entry) != n_bytes ||
        archive_entry_filetype(entry) != (kind == TAR_FOLDER ? AE_IFDIR : AE_IFREG)) {
        fuzz_wrong();
    }
    (void)archive_read_free(reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes)
{
    static char archive[TAR_BLOCK_BYTES + TAR_END_BYTES];
    char name[TAR_NAME_BYTES_MAX];
    uint64_t size = 0;
    if (n_bytes < sizeof(size) + 2) {
        return 0;
    }
    memcpy(&size, bytes, sizeof(size));
    size >>= 2 + bytes[8] % 60; /* of every magnitude, and none that is negative elsewhere */
    take_name(bytes + 9, n_bytes - 9, name);
    if (!*name) {
        return 0;
    }
    memset(archive, 0, sizeof(archive));
    tar_header(name, TAR_FILE, size, archive);
    must_read_back(archive, sizeof(archive), name, TAR_FILE, size);
    if ((size + tar_padding(size)) % TAR_BLOCK_BYTES != 0 || tar_padding(size) >= TAR_BLOCK_BYTES) {
        fuzz_wrong();
    }
    strcat(name, "/");
    tar_header(name, TAR_FOLDER, 0, archive);
    must_read_back(archive, sizeof(archive), name, TAR_FOLDER, 0);
    return 0;
}
