/* SPDX-License-Identifier: Apache-2.0
 *
 * The host's journal, as systemd's native protocol speaks it (systemd.io, "Native Journal Protocol"): one datagram an
 * entry, on a socket that the executor connected. What an entry says beside its message was put together by the
 * executor; the message is the container's own and is sent with its length, so that it cannot become a field. A journal
 * that takes nothing costs its copy of a line, never the container, and the container's own log has every line.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct journal {
    int fd;             /* -1: not used */
    const char *fields; /* "NAME=value\n" of every entry; borrowed */
    size_t n_fields;
    bool failing; /* the last entry was not taken: said once, until one is */
};

/* `is_error`: it came from stderr. `partial`: the line goes on in the next entry. */
void journal_send(struct journal *journal, const uint8_t *text, size_t n_text, bool is_error, bool partial);
