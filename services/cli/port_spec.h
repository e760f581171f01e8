/* SPDX-License-Identifier: Apache-2.0
 *
 * Ports as --publish and --expose name them.
 */
#pragma once

#include <jansson.h>

#include "common/error.h"

/* "[[ip:][host[-host]]:]container[-container][/protocol]", or "target=80,published=8080,protocol=tcp": adds to the
 * API's ExposedPorts and PortBindings objects. */
int port_spec_publish(const char *text, json_t *exposed, json_t *bindings, struct bh_error *error);

/* "80", "80-90/udp" */
int port_spec_expose(const char *text, json_t *exposed, struct bh_error *error);
