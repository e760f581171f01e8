/* SPDX-License-Identifier: Apache-2.0
 *
 * One entry; see journal.h.
 */
#include "journal.h"

#include <endian.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "common/log.h"

/* syslog's numbers, as Docker gives them: stdout is information, stderr an error. */
static const char information[] = "PRIORITY=6\n";
static const char error_priority[] = "PRIORITY=3\n";
static const char partial_field[] = "CONTAINER_PARTIAL_MESSAGE=true\n";
static const char message_field[] = "MESSAGE\n";

static struct iovec piece(const void *bytes, size_t n_bytes)
{
    return (struct iovec){.iov_base = (void *)(uintptr_t)bytes, .iov_len = n_bytes};
}

void journal_send(struct journal *journal, const uint8_t *text, size_t n_text, bool is_error, bool partial)
{
    if (journal->fd < 0) {
        return;
    }
    const uint64_t length = htole64(n_text);
    struct iovec pieces[] = {
        piece(journal->fields, journal->n_fields),
        is_error ? piece(error_priority, sizeof(error_priority) - 1) : piece(information, sizeof(information) - 1),
        piece(partial_field, partial ? sizeof(partial_field) - 1 : 0),
        piece(message_field, sizeof(message_field) - 1),
        piece(&length, sizeof(length)),
        piece(text, n_text),
        piece("\n", 1),
    };
    struct msghdr entry = {.msg_iov = pieces, .msg_iovlen = sizeof(pieces) / sizeof(pieces[0])};
    ssize_t sent;
    do {
        sent = sendmsg(journal->fd, &entry, MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    if (sent < 0 && !journal->failing) {
        bh_log_error("send to the journal: %s; entries are dropped until it takes them", strerror(errno));
    }
    journal->failing = sent < 0;
}
