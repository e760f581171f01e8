/* SPDX-License-Identifier: Apache-2.0
 *
 * Any datagram on any channel: refused, or a message that has a body (or one in a memfd, or asks to cancel). The first
 * byte chooses the channel.
 */
#include <stdlib.h>

#include "api_engine.pb-c.h"
#include "common/message.h"
#include "engine_copier.pb-c.h"
#include "engine_extractor.pb-c.h"
#include "engine_fetcher.pb-c.h"
#include "engine_monitor.pb-c.h"
#include "engine_policyd.pb-c.h"
#include "engine_store.pb-c.h"
#include "fetcher_dialer.pb-c.h"
#include "netd_dns.pb-c.h"
#include "policyd_executor.pb-c.h"
#include "policyd_netd.pb-c.h"
#include "fuzz.h"

static const ProtobufCMessageDescriptor *const descriptors[] = {
    &bulkhead__api_to_engine__descriptor,       &bulkhead__engine_to_api__descriptor,
    &bulkhead__engine_to_extractor__descriptor, &bulkhead__extractor_to_engine__descriptor,
    &bulkhead__engine_to_fetcher__descriptor,   &bulkhead__fetcher_to_engine__descriptor,
    &bulkhead__engine_to_monitor__descriptor,   &bulkhead__monitor_to_engine__descriptor,
    &bulkhead__engine_to_policyd__descriptor,   &bulkhead__policyd_to_engine__descriptor,
    &bulkhead__engine_to_store__descriptor,     &bulkhead__store_to_engine__descriptor,
    &bulkhead__fetcher_to_dialer__descriptor,   &bulkhead__dialer_to_fetcher__descriptor,
    &bulkhead__policyd_to_executor__descriptor, &bulkhead__executor_to_policyd__descriptor,
    &bulkhead__engine_to_copier__descriptor,    &bulkhead__copier_to_engine__descriptor,
    &bulkhead__policyd_to_netd__descriptor,     &bulkhead__netd_to_policyd__descriptor,
    &bulkhead__netd_to_dns__descriptor,         &bulkhead__dns_to_netd__descriptor,
};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes)
{
    if (n_bytes == 0) {
        return 0;
    }
    bh_automessage struct bh_message *message = NULL;
    struct bh_error error = {0};
    const ProtobufCMessageDescriptor *descriptor =
        descriptors[bytes[0] % (sizeof(descriptors) / sizeof(descriptors[0]))];
    if (bh_message_decode(descriptor, bytes + 1, n_bytes - 1, &message, &error) == 0 && !message->cancel &&
        bh_message_memfd_bytes(message) == 0 && !bh_message_body(message)) {
        fuzz_wrong();
    }
    return 0;
}
