/* SPDX-License-Identifier: Apache-2.0
 *
 * What the rule "publish" says: patterns "ADDRESS:FIRST-LAST" of the host's addresses and ports that may lead to a
 * container. "*" is every address, "0.0.0.0" every IPv4 and "[::]" every IPv6 address, all of them at once among these;
 * another address is itself alone.
 */
#pragma once

#include <stdbool.h>

#include "network.pb-c.h"
#include "rules.h"

/* Whether `text` is such a pattern. */
bool publish_is_pattern(const char *text);

/* Whether one of the patterns allows all host ports of `port` on the IPv4 (IPv6) address that it is for: its own, or
 * all. */
bool publish_allows(const struct rules_list *patterns, const Bulkhead__PublishedPort *port, bool ipv6);

/* "0.0.0.0:80", "[::1]:8000-8010". Returns `buffer`. */
#define PUBLISH_TEXT_SIZE 64
const char *publish_text(const Bulkhead__PublishedPort *port, bool ipv6, char buffer[static PUBLISH_TEXT_SIZE]);
