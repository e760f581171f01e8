/* SPDX-License-Identifier: Apache-2.0
 *
 * Errors as values; see error.h.
 */
#include "common/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const code_names[] = {
    [BH_OK] = "OK",
    [BH_CANCELLED] = "CANCELLED",
    [BH_UNKNOWN] = "UNKNOWN",
    [BH_INVALID_ARGUMENT] = "INVALID_ARGUMENT",
    [BH_DEADLINE_EXCEEDED] = "DEADLINE_EXCEEDED",
    [BH_NOT_FOUND] = "NOT_FOUND",
    [BH_ALREADY_EXISTS] = "ALREADY_EXISTS",
    [BH_PERMISSION_DENIED] = "PERMISSION_DENIED",
    [BH_RESOURCE_EXHAUSTED] = "RESOURCE_EXHAUSTED",
    [BH_FAILED_PRECONDITION] = "FAILED_PRECONDITION",
    [BH_ABORTED] = "ABORTED",
    [BH_OUT_OF_RANGE] = "OUT_OF_RANGE",
    [BH_UNIMPLEMENTED] = "UNIMPLEMENTED",
    [BH_INTERNAL] = "INTERNAL",
    [BH_UNAVAILABLE] = "UNAVAILABLE",
    [BH_DATA_LOSS] = "DATA_LOSS",
    [BH_UNAUTHENTICATED] = "UNAUTHENTICATED",
};

/* Names from outside may hold escape sequences; they must not reach a terminal or forge a log line. Also cuts a
 * UTF-8 sequence that truncation left incomplete, since messages travel as protobuf strings. */
static void make_printable(char *text)
{
    size_t length = strlen(text);
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c < 0x20 || c == 0x7f) {
            text[i] = '?';
        }
    }
    size_t tail = length;
    while (tail > 0 && length - tail < 3 && ((unsigned char)text[tail - 1] & 0xc0) == 0x80) {
        tail--;
    }
    if (tail > 0) {
        unsigned char lead = (unsigned char)text[tail - 1];
        size_t wanted = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : lead >= 0xc0 ? 1 : 0;
        if (wanted > length - tail) {
            text[tail - 1] = '\0';
        }
    }
}

__attribute__((format(printf, 4, 0))) static void fill(struct bh_error *error, enum bh_code code, int err,
                                                       const char *format, va_list arguments)
{
    bh_error_clear(error);
    error->code = code;
    error->sys_errno = err;
    (void)vsnprintf(error->message, sizeof(error->message), format, arguments);
}

int bh_error_set(struct bh_error *error, enum bh_code code, const char *format, ...)
{
    if (!error) {
        return -1;
    }
    va_list arguments;
    va_start(arguments, format);
    fill(error, code, 0, format, arguments);
    va_end(arguments);
    make_printable(error->message);
    return -1;
}

int bh_error_errno(struct bh_error *error, int err, const char *format, ...)
{
    if (!error) {
        return -1;
    }
    va_list arguments;
    va_start(arguments, format);
    fill(error, bh_code_from_errno(err), err, format, arguments);
    va_end(arguments);
    char buffer[128];
    size_t used = strlen(error->message);
    (void)snprintf(error->message + used, sizeof(error->message) - used, ": %s",
                   strerror_r(err, buffer, sizeof(buffer)));
    make_printable(error->message);
    return -1;
}

int bh_error_wrap(struct bh_error *error, const char *format, ...)
{
    if (!error || error->n_context == BH_ERROR_CONTEXT_MAX) {
        return -1;
    }
    va_list arguments;
    va_start(arguments, format);
    char *slot = error->context[error->n_context++];
    (void)vsnprintf(slot, BH_ERROR_CONTEXT_SIZE, format, arguments);
    va_end(arguments);
    make_printable(slot);
    return -1;
}

const char *bh_error_format(const struct bh_error *error, char *buffer, size_t buffer_bytes)
{
    size_t used = 0;
    buffer[0] = '\0';
    for (size_t i = error->n_context; i > 0 && used < buffer_bytes; i--) {
        int n = snprintf(buffer + used, buffer_bytes - used, "%s: ", error->context[i - 1]);
        used += n > 0 ? (size_t)n : 0;
    }
    if (used < buffer_bytes) {
        (void)snprintf(buffer + used, buffer_bytes - used, "%s", error->message);
    }
    return buffer;
}

const char *bh_code_name(enum bh_code code)
{
    size_t n = sizeof(code_names) / sizeof(code_names[0]);
    return (size_t)code < n ? code_names[code] : "UNKNOWN";
}

enum bh_code bh_code_from_errno(int err)
{
    switch (err) {
    case ENOENT:
    case ESRCH:
        return BH_NOT_FOUND;
    case EEXIST:
        return BH_ALREADY_EXISTS;
    case EACCES:
    case EPERM:
    case EROFS:
        return BH_PERMISSION_DENIED;
    case EINVAL:
    case ENAMETOOLONG:
    case ELOOP:
    case ENOTDIR:
    case EISDIR:
        return BH_INVALID_ARGUMENT;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
    case ENOMEM:
    case EMFILE:
    case ENFILE:
    case EAGAIN:
        return BH_RESOURCE_EXHAUSTED;
    case EBUSY:
    case ENOTEMPTY:
        return BH_FAILED_PRECONDITION;
    case ETIMEDOUT:
        return BH_DEADLINE_EXCEEDED;
    case ENOSYS:
    case EOPNOTSUPP:
        return BH_UNIMPLEMENTED;
    case ECONNREFUSED:
    case ECONNRESET:
    case EPIPE:
    case EHOSTUNREACH:
    case ENETUNREACH:
        return BH_UNAVAILABLE;
    case ECANCELED:
        return BH_CANCELLED;
    default:
        return BH_INTERNAL;
    }
}

void bh_error_clear(struct bh_error *error)
{
    if (error) {
        error->code = BH_OK;
        error->sys_errno = 0;
        error->message[0] = '\0';
        error->n_context = 0;
    }
}
