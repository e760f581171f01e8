/* SPDX-License-Identifier: Apache-2.0
 *
 * Structured log lines; see log.h.
 */
#include "common/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LINE_BYTES 2048

static const char *log_service = "bulkhead";
static enum bh_log_level log_level = BH_LOG_INFO;
static _Thread_local uint64_t log_trace;

void bh_log_init(const char *service, enum bh_log_level level)
{
    log_service = service;
    log_level = level;
}

void bh_log_set_trace(uint64_t trace)
{
    log_trace = trace;
}

uint64_t bh_log_trace(void)
{
    return log_trace;
}

/* Appends `text` quoted: what came from outside can neither end the value nor the line. */
static size_t append_quoted(char *line, size_t used, const char *text)
{
    line[used++] = '"';
    for (; *text && used < LINE_BYTES - 4; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\') {
            line[used++] = '\\';
        }
        line[used++] = c < 0x20 || c == 0x7f ? '?' : (char)c;
    }
    line[used++] = '"';
    line[used++] = '\n';
    return used;
}

void bh_log(enum bh_log_level level, const char *format, ...)
{
    static const char *const names[] = {"error", "warning", "info", "debug"};
    if (level > log_level) {
        return;
    }
    char message[1400];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);

    struct timespec now;
    struct tm parts;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    (void)gmtime_r(&now.tv_sec, &parts);
    char line[LINE_BYTES];
    size_t used = strftime(line, sizeof(line), "time=%Y-%m-%dT%H:%M:%S", &parts);
    int n = snprintf(line + used, sizeof(line) - used, ".%06ldZ level=%s service=%s pid=%d ", now.tv_nsec / 1000,
                     names[level], log_service, (int)getpid());
    used += n > 0 ? (size_t)n : 0;
    if (log_trace) {
        n = snprintf(line + used, sizeof(line) - used, "request=%016llx ", (unsigned long long)log_trace);
        used += n > 0 ? (size_t)n : 0;
    }
    n = snprintf(line + used, sizeof(line) - used, "msg=");
    used += n > 0 ? (size_t)n : 0;
    used = append_quoted(line, used, message);
    (void)!write(STDERR_FILENO, line, used); /* nowhere left to report a failure to */
}

void bh_log_failure(enum bh_log_level level, const struct bh_error *error, const char *what)
{
    char text[1024];
    bh_log(level, "%s: %s (%s)", what, bh_error_format(error, text, sizeof(text)), bh_code_name(error->code));
}
