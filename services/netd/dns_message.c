/* SPDX-License-Identifier: Apache-2.0
 *
 * See dns_message.h.
 */
#include "dns_message.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <resolv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#define HEADER_BYTES     12
#define FLAG_RESPONSE    0x8000U
#define FLAG_TRUNCATED   0x0200U
#define FLAG_DESIRED     0x0100U
#define FLAG_AVAILABLE   0x0080U
#define OPCODE_MASK      0x7800U
#define OPT_BYTES        11
#define NAME_OF_QUESTION 0xc00cU /* a pointer to offset 12 */

/* ---- reading -------------------------------------------------------------------------------------------- */

static void lower(char *name)
{
    for (; *name; name++) {
        *name = (char)tolower((unsigned char)*name);
    }
}

/* The OPT record, if there is one: it has no name, and its class is a size. */
static int read_additional(ns_msg *message, struct dns_question *question)
{
    question->udp_bytes = DNS_UDP_BYTES;
    for (int i = 0; i < ns_msg_count(*message, ns_s_ar); i++) {
        ns_rr record;
        if (ns_parserr(message, ns_s_ar, i, &record) < 0) {
            return ns_r_formerr;
        }
        if (ns_rr_type(record) == ns_t_opt) {
            if (question->extended) {
                return ns_r_formerr;
            }
            question->extended = true;
            uint16_t bytes = (uint16_t)ns_rr_class(record);
            question->udp_bytes = bytes < DNS_UDP_BYTES       ? DNS_UDP_BYTES
                                  : bytes > DNS_UDP_BYTES_MAX ? DNS_UDP_BYTES_MAX
                                                              : bytes;
        }
    }
    return 0;
}

int dns_question_read(const uint8_t *bytes, size_t n_bytes, struct dns_question *ret_question)
{
    *ret_question = (struct dns_question){.udp_bytes = DNS_UDP_BYTES, .end = HEADER_BYTES};
    if (n_bytes < HEADER_BYTES || n_bytes > DNS_QUESTION_MAX) {
        return -1;
    }
    uint16_t flags = (uint16_t)ns_get16(bytes + 2);
    if (flags & FLAG_RESPONSE) {
        return -1;
    }
    ret_question->id = (uint16_t)ns_get16(bytes);
    ret_question->recursion_desired = (flags & FLAG_DESIRED) != 0;
    if (flags & OPCODE_MASK) {
        return ns_r_notimpl;
    }
    ns_msg message;
    ns_rr question;
    if (ns_initparse(bytes, (int)n_bytes, &message) < 0 || ns_msg_count(message, ns_s_qd) != 1 ||
        ns_msg_count(message, ns_s_an) != 0 || ns_msg_count(message, ns_s_ns) != 0 ||
        ns_parserr(&message, ns_s_qd, 0, &question) < 0) {
        return ns_r_formerr;
    }
    (void)snprintf(ret_question->name, sizeof(ret_question->name), "%s",
                   strcmp(ns_rr_name(question), ".") == 0 ? "" : ns_rr_name(question));
    lower(ret_question->name);
    ret_question->type = (uint16_t)ns_rr_type(question);
    ret_question->class = (uint16_t)ns_rr_class(question);
    int name_bytes = dn_skipname(bytes + HEADER_BYTES, bytes + n_bytes);
    if (name_bytes < 0) {
        return ns_r_formerr;
    }
    ret_question->end = HEADER_BYTES + (size_t)name_bytes + NS_QFIXEDSZ;
    return read_additional(&message, ret_question);
}

bool dns_is_answer(const uint8_t *bytes, size_t n_bytes, const struct dns_question *question)
{
    ns_msg message;
    ns_rr asked;
    if (n_bytes < HEADER_BYTES || n_bytes > DNS_TCP_BYTES_MAX || !(ns_get16(bytes + 2) & FLAG_RESPONSE) ||
        ns_initparse(bytes, (int)n_bytes, &message) < 0) {
        return false;
    }
    if (ns_msg_count(message, ns_s_qd) == 0) { /* a refusal may leave it out */
        return ns_msg_getflag(message, ns_f_rcode) != ns_r_noerror;
    }
    const char *name = question->name[0] ? question->name : ".";
    return ns_msg_count(message, ns_s_qd) == 1 && ns_parserr(&message, ns_s_qd, 0, &asked) == 0 &&
           strcasecmp(*ns_rr_name(asked) ? ns_rr_name(asked) : ".", name) == 0 && ns_rr_type(asked) == question->type &&
           ns_rr_class(asked) == question->class;
}

/* ---- writing -------------------------------------------------------------------------------------------- */

static void put16(uint8_t *at, unsigned int value)
{
    ns_put16(value, at);
}

void dns_answer_begin(struct dns_answer *answer, uint8_t *bytes, size_t limit, const uint8_t *asked,
                      const struct dns_question *question, int code)
{
    size_t reserved = question->extended ? OPT_BYTES : 0;
    *answer = (struct dns_answer){.bytes = bytes, .size = limit - reserved, .question = question};
    memset(bytes, 0, HEADER_BYTES);
    put16(bytes, question->id);
    put16(bytes + 2,
          FLAG_RESPONSE | FLAG_AVAILABLE | (question->recursion_desired ? FLAG_DESIRED : 0) | (unsigned int)code);
    answer->used = HEADER_BYTES;
    if (question->end > HEADER_BYTES) { /* at most 12 + 255 + 4 bytes */
        memcpy(bytes + HEADER_BYTES, asked + HEADER_BYTES, question->end - HEADER_BYTES);
        put16(bytes + 4, 1);
        answer->used = question->end;
    }
}

static void add_record(struct dns_answer *answer, unsigned int type, uint32_t ttl_seconds, const uint8_t *data,
                       size_t n_data)
{
    size_t n_bytes = 2 + NS_RRFIXEDSZ + n_data;
    if (answer->truncated || answer->used + n_bytes > answer->size) {
        answer->truncated = true;
        return;
    }
    uint8_t *at = answer->bytes + answer->used;
    put16(at, NAME_OF_QUESTION);
    put16(at + 2, type);
    put16(at + 4, ns_c_in);
    ns_put32(ttl_seconds, at + 6);
    put16(at + 10, (unsigned int)n_data);
    memcpy(at + 12, data, n_data);
    answer->used += n_bytes;
    put16(answer->bytes + 6, ns_get16(answer->bytes + 6) + 1);
}

void dns_answer_address(struct dns_answer *answer, int family, const uint8_t *address, uint32_t ttl_seconds)
{
    bool ipv6 = family == AF_INET6;
    add_record(answer, ipv6 ? ns_t_aaaa : ns_t_a, ttl_seconds, address, ipv6 ? 16 : 4);
}

void dns_answer_pointer(struct dns_answer *answer, const char *name, uint32_t ttl_seconds)
{
    uint8_t data[NS_MAXCDNAME];
    int n = dn_comp(name, data, sizeof(data), NULL, NULL);
    if (n > 0) {
        add_record(answer, ns_t_ptr, ttl_seconds, data, (size_t)n);
    }
}

void dns_answer_service(struct dns_answer *answer, uint16_t port, const char *target, uint32_t ttl_seconds)
{
    uint8_t data[6 + NS_MAXCDNAME] = {0}; /* priority and weight 0 */
    put16(data + 4, port);
    int n = dn_comp(target, data + 6, sizeof(data) - 6, NULL, NULL);
    if (n > 0) {
        add_record(answer, ns_t_srv, ttl_seconds, data, 6 + (size_t)n);
    }
}

size_t dns_answer_end(struct dns_answer *answer)
{
    if (answer->truncated) {
        put16(answer->bytes + 2, ns_get16(answer->bytes + 2) | FLAG_TRUNCATED);
    }
    if (answer->question->extended) { /* room was kept */
        uint8_t *at = answer->bytes + answer->used;
        memset(at, 0, OPT_BYTES);
        put16(at + 1, ns_t_opt);
        put16(at + 3, DNS_UDP_BYTES_MAX);
        put16(answer->bytes + 10, 1);
        answer->used += OPT_BYTES;
    }
    return answer->used;
}

/* ---- addresses as names ---------------------------------------------------------------------------------- */

/* "4.3.2.1" before in-addr.arpa. */
static size_t reverse4(const char *name, size_t length, uint8_t address[static 16])
{
    char text[INET_ADDRSTRLEN];
    uint8_t backwards[4];
    if (length >= sizeof(text)) {
        return 0;
    }
    memcpy(text, name, length);
    text[length] = '\0';
    if (inet_pton(AF_INET, text, backwards) != 1) {
        return 0;
    }
    for (size_t i = 0; i < 4; i++) {
        address[i] = backwards[3 - i];
    }
    return 4;
}

/* 32 digits with dots between them before ip6.arpa. */
static size_t reverse6(const char *name, size_t length, uint8_t address[static 16])
{
    if (length != 63) {
        return 0;
    }
    memset(address, 0, 16);
    for (size_t i = 0; i < 32; i++) {
        char digit = name[2 * i];
        if (!isxdigit((unsigned char)digit) || (i < 31 && name[2 * i + 1] != '.')) {
            return 0;
        }
        unsigned int value = (unsigned int)(digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10);
        address[15 - i / 2] |= (uint8_t)(i % 2 ? value << 4 : value);
    }
    return 16;
}

size_t dns_reverse_address(const char *name, uint8_t ret_address[static 16])
{
    static const char tail4[] = ".in-addr.arpa", tail6[] = ".ip6.arpa";
    size_t length = strlen(name);
    if (length > sizeof(tail4) - 1 && strcasecmp(name + length - (sizeof(tail4) - 1), tail4) == 0) {
        return reverse4(name, length - (sizeof(tail4) - 1), ret_address);
    }
    if (length > sizeof(tail6) - 1 && strcasecmp(name + length - (sizeof(tail6) - 1), tail6) == 0) {
        return reverse6(name, length - (sizeof(tail6) - 1), ret_address);
    }
    return 0;
}
