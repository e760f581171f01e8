/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a container's question and as a resolver's answer: what is answered here is a message that can be read,
 * no longer than allowed, and about what was asked.
 */
#include <stdlib.h>
#include <string.h>

#include "dns_names.h"
#include "fuzz.h"

static struct dns_names names;

static struct dns_container *container(void)
{
    struct dns_container *made = calloc(1, sizeof(*made));
    struct dns_endpoint *endpoint = calloc(1, sizeof(*endpoint));
    made->endpoints = endpoint;
    made->n_endpoints = 1;
    endpoint->network_name = strdup("front");
    endpoint->has_address4 = endpoint->has_address6 = true;
    endpoint->address4[0] = 10;
    endpoint->names = calloc(1, sizeof(char *));
    endpoint->names[endpoint->n_names++] = strdup("web");
    return made;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes)
{
    static struct dns_container *asker;
    static uint8_t answer[DNS_UDP_BYTES_MAX];
    struct dns_question question;
    if (!asker) {
        asker = container();
        dns_names_put(&names, asker);
    }
    int code = dns_question_read(bytes, n_bytes, &question);
    if (code < 0) {
        return 0;
    }
    size_t length = 0;
    if (code > 0) {
        struct dns_answer refusal;
        dns_answer_begin(&refusal, answer, DNS_UDP_BYTES, bytes, &question, code);
        length = dns_answer_end(&refusal);
    } else {
        length = dns_names_answer(&names, asker, bytes, &question, answer, question.udp_bytes);
        if (length && !dns_is_answer(answer, length, &question)) {
            fuzz_wrong();
        }
    }
    if (length > sizeof(answer)) {
        fuzz_wrong();
    }
    return 0;
}
