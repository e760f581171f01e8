/* SPDX-License-Identifier: Apache-2.0
 *
 * DNS messages (RFC 1035, RFC 6891) as the worker needs them: one question read, one answer written. Pure. What is read
 * comes from containers and from resolvers; glibc's ns_* functions take it apart.
 */
#pragma once

#include <arpa/nameser.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DNS_UDP_BYTES     512  /* what a UDP answer may have if the question does not say otherwise */
#define DNS_UDP_BYTES_MAX 4096 /* ... and at most, whatever it says */
#define DNS_TCP_BYTES_MAX 65535
#define DNS_QUESTION_MAX  4096 /* of a message with a question, over TCP as well */

struct dns_question {
    uint16_t id;
    bool recursion_desired;
    bool extended;      /* brought an OPT record */
    uint16_t udp_bytes; /* how much its sender can take over UDP */
    uint16_t type, class;
    char name[NS_MAXDNAME]; /* as text, lower case, without the last dot; "" is the root */
    size_t end;             /* offset behind the question in the message */
};

/* Reads a message with one question. Returns 0; a response code (ns_r_formerr, ns_r_notimpl) if it is to be answered
 * with that, `id` and `recursion_desired` being set; -1 if it is no question at all, and answering would help an
 * attacker only. */
int dns_question_read(const uint8_t *bytes, size_t n_bytes, struct dns_question *ret_question);

/* Whether `bytes` is an answer to the question that `question` was read from. */
bool dns_is_answer(const uint8_t *bytes, size_t n_bytes, const struct dns_question *question);

/* An answer that is being written. */
struct dns_answer {
    uint8_t *bytes;
    size_t size, used;
    const struct dns_question *question;
    bool truncated;
};

/* Begins an answer to the message `asked` in `bytes`, which must have room for DNS_UDP_BYTES at least: header, and the
 * question if there was one that could be read. `limit` is how long it may become. */
void dns_answer_begin(struct dns_answer *answer, uint8_t *bytes, size_t limit, const uint8_t *asked,
                      const struct dns_question *question, int code);
/* Adds one record about the name that was asked for. What does not fit sets the truncation bit. */
void dns_answer_address(struct dns_answer *answer, int family, const uint8_t *address, uint32_t ttl_seconds);
void dns_answer_pointer(struct dns_answer *answer, const char *name, uint32_t ttl_seconds);
void dns_answer_service(struct dns_answer *answer, uint16_t port, const char *target, uint32_t ttl_seconds);
/* The whole answer's length. */
size_t dns_answer_end(struct dns_answer *answer);

/* The address that a name below in-addr.arpa or ip6.arpa stands for. Returns its length (4, 16), or 0. */
size_t dns_reverse_address(const char *name, uint8_t ret_address[static 16]);
