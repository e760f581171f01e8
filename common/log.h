/* SPDX-License-Identifier: Apache-2.0
 *
 * Structured log lines on standard error: `time=… level=… service=… pid=… request=… msg="…" key="value"`.
 * Only services log; library code returns errors. Values from outside are quoted and escaped, so a
 * name can never forge a line. Thread-safe; one write(2) a line.
 */
#pragma once

#include <stdint.h>

#include "common/error.h"

enum bh_log_level { BH_LOG_ERROR, BH_LOG_WARNING, BH_LOG_INFO, BH_LOG_DEBUG };

/* Called once by bh_service_run(); `service` is borrowed for the process's life. */
void bh_log_init(const char *service, enum bh_log_level level);

/* The request id that the lines of this thread carry; 0 for none. It is the `trace` of the message header. */
void bh_log_set_trace(uint64_t trace);
uint64_t bh_log_trace(void);

void bh_log(enum bh_log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));
#define bh_log_error(...)   bh_log(BH_LOG_ERROR, __VA_ARGS__)
#define bh_log_warning(...) bh_log(BH_LOG_WARNING, __VA_ARGS__)
#define bh_log_info(...)    bh_log(BH_LOG_INFO, __VA_ARGS__)
#define bh_log_debug(...)   bh_log(BH_LOG_DEBUG, __VA_ARGS__)

/* Logs `what` with an error's full chain. */
void bh_log_failure(enum bh_log_level level, const struct bh_error *error, const char *what);
