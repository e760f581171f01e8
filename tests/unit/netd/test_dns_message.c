/* SPDX-License-Identifier: Apache-2.0
 *
 * DNS messages: what counts as a question, what as its answer, and what is written.
 */
#include <criterion/criterion.h>
#include <string.h>
#include <sys/socket.h>

#include "services/netd/dns_message.h"

/* One question, as a resolver library would send it. Returns its length. */
static size_t make_question(uint8_t *bytes, const char *name, unsigned int type)
{
    static const uint8_t header[12] = {0x12, 0x34, 0x01, 0x00, 0, 1};
    size_t used = sizeof(header);
    memcpy(bytes, header, sizeof(header));
    while (*name) {
        size_t length = strcspn(name, ".");
        bytes[used++] = (uint8_t)length;
        memcpy(bytes + used, name, length);
        used += length;
        name += length + (name[length] == '.');
    }
    bytes[used++] = 0;
    ns_put16(type, bytes + used);
    ns_put16(ns_c_in, bytes + used + 2);
    return used + 4;
}

static size_t add_opt(uint8_t *bytes, size_t used, unsigned int udp_bytes)
{
    memset(bytes + used, 0, 11);
    ns_put16(ns_t_opt, bytes + used + 1);
    ns_put16(udp_bytes, bytes + used + 3);
    ns_put16(ns_get16(bytes + 10) + 1, bytes + 10);
    return used + 11;
}

Test(dns_message, a_question)
{
    uint8_t bytes[512];
    struct dns_question question;
    size_t n = make_question(bytes, "WEB.example", ns_t_aaaa);
    cr_assert_eq(dns_question_read(bytes, n, &question), 0);
    cr_assert_str_eq(question.name, "web.example");
    cr_assert_eq(question.id, 0x1234);
    cr_assert_eq(question.type, ns_t_aaaa);
    cr_assert_eq(question.class, ns_c_in);
    cr_assert_eq(question.end, n);
    cr_assert(question.recursion_desired && !question.extended);
    cr_assert_eq(question.udp_bytes, 512);
}

Test(dns_message, extended)
{
    static const struct {
        unsigned int said, taken;
    } cases[] = {{0, 512}, {511, 512}, {1232, 1232}, {65535, 4096}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t bytes[512];
        struct dns_question question;
        size_t n = add_opt(bytes, make_question(bytes, "web", ns_t_a), cases[i].said);
        cr_assert_eq(dns_question_read(bytes, n, &question), 0);
        cr_assert(question.extended);
        cr_assert_eq(question.udp_bytes, cases[i].taken);
        n = add_opt(bytes, n, 512);
        cr_assert_eq(dns_question_read(bytes, n, &question), ns_r_formerr, "two of them");
    }
}

Test(dns_message, no_question)
{
    uint8_t bytes[512];
    struct dns_question question;
    size_t n = make_question(bytes, "web", ns_t_a);
    for (size_t shorter = 0; shorter < 12; shorter++) {
        cr_assert_eq(dns_question_read(bytes, shorter, &question), -1);
    }
    for (size_t shorter = 12; shorter < n; shorter++) {
        cr_assert_eq(dns_question_read(bytes, shorter, &question), ns_r_formerr);
    }
    bytes[n] = 0;
    cr_assert_eq(dns_question_read(bytes, n + 1, &question), ns_r_formerr, "something behind it");
    bytes[5] = 2;
    cr_assert_eq(dns_question_read(bytes, n, &question), ns_r_formerr, "two questions");
    bytes[5] = 1;
    bytes[2] = 0x28;
    cr_assert_eq(dns_question_read(bytes, n, &question), ns_r_notimpl, "an update");
    bytes[2] = 0x81;
    cr_assert_eq(dns_question_read(bytes, n, &question), -1, "an answer");
}

Test(dns_message, names_that_point_at_themselves)
{
    uint8_t bytes[18] = {0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xc0, 12, 0, 1, 0, 1};
    struct dns_question question;
    cr_assert_eq(dns_question_read(bytes, sizeof(bytes), &question), ns_r_formerr);
}

Test(dns_message, an_answer)
{
    uint8_t asked[512], bytes[512];
    const uint8_t four[4] = {10, 1, 0, 2}, six[16] = {0xfd, 1};
    struct dns_question question;
    struct dns_answer answer;
    size_t n = add_opt(asked, make_question(asked, "web", ns_t_any), 1232);
    cr_assert_eq(dns_question_read(asked, n, &question), 0);
    dns_answer_begin(&answer, bytes, sizeof(bytes), asked, &question, ns_r_noerror);
    dns_answer_address(&answer, AF_INET, four, 60);
    dns_answer_address(&answer, AF_INET6, six, 60);
    dns_answer_pointer(&answer, "web.front", 60);
    dns_answer_service(&answer, 80, "web", 60);
    n = dns_answer_end(&answer);

    ns_msg message;
    ns_rr record;
    cr_assert(dns_is_answer(bytes, n, &question));
    cr_assert_eq(ns_initparse(bytes, (int)n, &message), 0);
    cr_assert_eq(ns_msg_id(message), 0x1234);
    cr_assert_eq(ns_msg_count(message, ns_s_an), 4);
    cr_assert_eq(ns_msg_count(message, ns_s_ar), 1);
    cr_assert_eq(ns_parserr(&message, ns_s_an, 0, &record), 0);
    cr_assert_str_eq(ns_rr_name(record), "web");
    cr_assert_eq(ns_rr_ttl(record), 60);
    cr_assert_eq(memcmp(ns_rr_rdata(record), four, 4), 0);
    cr_assert_eq(ns_parserr(&message, ns_s_an, 1, &record), 0);
    cr_assert_eq(ns_rr_type(record), ns_t_aaaa);
    cr_assert_eq(memcmp(ns_rr_rdata(record), six, 16), 0);
    cr_assert_eq(ns_parserr(&message, ns_s_an, 3, &record), 0);
    cr_assert_eq(ns_get16(ns_rr_rdata(record) + 4), 80);
}

Test(dns_message, too_long)
{
    uint8_t asked[512], bytes[DNS_UDP_BYTES];
    const uint8_t address[4] = {10, 1, 0, 2};
    struct dns_question question;
    struct dns_answer answer;
    ns_msg message;
    size_t n = make_question(asked, "web", ns_t_a);
    cr_assert_eq(dns_question_read(asked, n, &question), 0);
    dns_answer_begin(&answer, bytes, sizeof(bytes), asked, &question, ns_r_noerror);
    for (int i = 0; i < 100; i++) {
        dns_answer_address(&answer, AF_INET, address, 60);
    }
    n = dns_answer_end(&answer);
    cr_assert_leq(n, sizeof(bytes));
    cr_assert_eq(ns_initparse(bytes, (int)n, &message), 0);
    cr_assert_eq(ns_msg_getflag(message, ns_f_tc), 1);
    cr_assert_eq(ns_msg_count(message, ns_s_an), 30);
}

Test(dns_message, answers_to_something_else)
{
    uint8_t asked[512], other[512];
    struct dns_question question, another;
    struct dns_answer answer;
    uint8_t bytes[512];
    cr_assert_eq(dns_question_read(asked, make_question(asked, "web", ns_t_a), &question), 0);
    cr_assert_eq(dns_question_read(other, make_question(other, "web", ns_t_aaaa), &another), 0);
    dns_answer_begin(&answer, bytes, sizeof(bytes), other, &another, ns_r_noerror);
    cr_assert_not(dns_is_answer(bytes, dns_answer_end(&answer), &question), "another type");
    cr_assert_eq(dns_question_read(other, make_question(other, "bank", ns_t_a), &another), 0);
    dns_answer_begin(&answer, bytes, sizeof(bytes), other, &another, ns_r_noerror);
    cr_assert_not(dns_is_answer(bytes, dns_answer_end(&answer), &question), "another name");
    cr_assert_not(dns_is_answer(asked, make_question(asked, "web", ns_t_a), &question), "a question");
}

Test(dns_message, reverse)
{
    uint8_t address[16];
    const uint8_t four[4] = {10, 1, 0, 2};
    cr_assert_eq(dns_reverse_address("2.0.1.10.in-addr.arpa", address), 4);
    cr_assert_eq(memcmp(address, four, 4), 0);
    cr_assert_eq(
        dns_reverse_address("1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa", address), 16);
    cr_assert_eq(address[0], 0xfd);
    cr_assert_eq(address[15], 0x01);
    cr_assert_eq(dns_reverse_address("1.10.in-addr.arpa", address), 0);
    cr_assert_eq(dns_reverse_address("300.0.1.10.in-addr.arpa", address), 0);
    cr_assert_eq(dns_reverse_address("in-addr.arpa", address), 0);
    cr_assert_eq(dns_reverse_address("web", address), 0);
}
