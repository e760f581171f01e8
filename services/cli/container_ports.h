/* SPDX-License-Identifier: Apache-2.0
 *
 * The PORTS column of `ps`.
 */
#pragma once

#include <jansson.h>

/* "0.0.0.0:8080->80/tcp, 443-445/tcp" from a list's Ports: neighbours are drawn together as Docker does. A new string;
 * NULL without memory. */
json_t *container_ports_text(const json_t *ports);
