/* SPDX-License-Identifier: Apache-2.0
 *
 * See tar_builder.h; the header is POSIX' ustar.
 */
#include "tar_builder.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct header {
    char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[100], magic[6], version[2],
        user[32], group[32], major[8], minor[8], prefix[155], padding[12];
};
static_assert(sizeof(struct header) == 512, "a tar header");

void tar_raw(struct tar *tar, const void *bytes, size_t n_bytes)
{
    if (tar->n_bytes + n_bytes > tar->room) {
        tar->room = (tar->n_bytes + n_bytes) * 2;
        tar->bytes = realloc(tar->bytes, tar->room);
        assert(tar->bytes);
    }
    if (n_bytes > 0) {
        memcpy(tar->bytes + tar->n_bytes, bytes, n_bytes);
    }
    tar->n_bytes += n_bytes;
}

static void pad(struct tar *tar)
{
    static const char zeros[512];
    tar_raw(tar, zeros, -tar->n_bytes & 511);
}

static void octal(char *field, size_t n_bytes, uint64_t value)
{
    char text[32];
    (void)snprintf(text, sizeof(text), "%0*llo", (int)n_bytes - 1, (unsigned long long)value);
    memcpy(field, text, n_bytes);
}

static void copy(char *field, size_t n_bytes, const char *text)
{
    if (text) {
        memcpy(field, text, strnlen(text, n_bytes));
    }
}

/* Times before 1970 are written in base 256, as GNU tar does. */
static void put_time(char field[12], int64_t value)
{
    if (value >= 0) {
        octal(field, 12, (uint64_t)value);
        return;
    }
    memset(field, 0xff, 12);
    for (int i = 11; i > 3; i--, value >>= 8) {
        field[i] = (char)(value & 0xff);
    }
}

void tar_add(struct tar *tar, const struct tar_member *member)
{
    struct header header;
    memset(&header, 0, sizeof(header));
    copy(header.name, sizeof(header.name), member->name);
    copy(header.link, sizeof(header.link), member->link);
    header.type = member->type ? member->type : '0';
    octal(header.mode, sizeof(header.mode), member->mode ? member->mode : 0644);
    octal(header.uid, sizeof(header.uid), member->uid);
    octal(header.gid, sizeof(header.gid), member->gid);
    octal(header.size, sizeof(header.size), member->size);
    put_time(header.mtime, member->mtime);
    octal(header.major, sizeof(header.major), member->major);
    octal(header.minor, sizeof(header.minor), member->minor);
    memcpy(header.magic, "ustar", 6);
    memcpy(header.version, "00", 2);
    if (member->raw_size) {
        memcpy(header.size, member->raw_size, sizeof(header.size));
    }
    if (member->raw_uid) {
        memcpy(header.uid, member->raw_uid, sizeof(header.uid));
    }
    if (member->raw_mtime) {
        memcpy(header.mtime, member->raw_mtime, sizeof(header.mtime));
    }
    memset(header.checksum, ' ', sizeof(header.checksum));
    unsigned sum = member->bad_checksum ? 1 : 0;
    for (size_t i = 0; i < sizeof(header); i++) {
        sum += ((const unsigned char *)&header)[i];
    }
    octal(header.checksum, 7, sum);
    tar_raw(tar, &header, sizeof(header));
    if (member->content) {
        tar_raw(tar, member->content, member->size);
        pad(tar);
    }
}

void tar_pax_bytes(struct tar *tar, const char *key, const void *value, size_t n_bytes)
{
    size_t payload = strlen(key) + n_bytes + 3, total = payload + 1; /* space, '=', newline */
    char digits[32];
    while ((size_t)snprintf(digits, sizeof(digits), "%zu", total) + payload != total) {
        total++;
    }
    struct tar record = {0};
    tar_raw(&record, digits, strlen(digits));
    tar_raw(&record, " ", 1);
    tar_raw(&record, key, strlen(key));
    tar_raw(&record, "=", 1);
    tar_raw(&record, value, n_bytes);
    tar_raw(&record, "\n", 1);
    tar_put(tar, .name = "PaxHeader", .type = 'x', .content = record.bytes, .size = record.n_bytes);
    tar_free(&record);
}

void tar_pax(struct tar *tar, ...)
{
    struct tar records = {0};
    va_list arguments;
    va_start(arguments, tar);
    const char *key;
    while ((key = va_arg(arguments, const char *))) {
        const char *value = va_arg(arguments, const char *);
        size_t payload = strlen(key) + strlen(value) + 3, total = payload + 1;
        char digits[32];
        while ((size_t)snprintf(digits, sizeof(digits), "%zu", total) + payload != total) {
            total++;
        }
        tar_raw(&records, digits, strlen(digits));
        tar_raw(&records, " ", 1);
        tar_raw(&records, key, strlen(key));
        tar_raw(&records, "=", 1);
        tar_raw(&records, value, strlen(value));
        tar_raw(&records, "\n", 1);
    }
    va_end(arguments);
    tar_put(tar, .name = "PaxHeader", .type = 'x', .content = records.bytes, .size = records.n_bytes);
    tar_free(&records);
}

void tar_end(struct tar *tar)
{
    static const char zeros[1024];
    tar_raw(tar, zeros, sizeof(zeros));
}

void tar_free(struct tar *tar)
{
    free(tar->bytes);
    *tar = (struct tar){0};
}
