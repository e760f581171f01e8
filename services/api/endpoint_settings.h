/* SPDX-License-Identifier: Apache-2.0
 *
 * Docker's EndpointSettings, as create and connect take them: what a client wants of one network.
 */
#pragma once

#include "api_engine.pb-c.h"
#include "json_read.h"

/* Reads an object (or null: nothing is asked for) into a new request. Fields that only answers have are passed over:
 * clients send back what they were told. */
int endpoint_settings_read(const json_t *settings, const char *network, Bulkhead__EndpointRequest **ret_request,
                           struct bh_error *error);
