/* SPDX-License-Identifier: Apache-2.0
 *
 * Networks at the one door: judged and written down, then done by netd. Whose network is whose is known from those that
 * were made through here, and from netd's own list.
 */
#pragma once

#include "container.pb-c.h"
#include "policyd.h"

void networks_make(struct bh_request *request);
void networks_drop(struct bh_request *request);
void networks_disconnect(struct bh_request *request);
void networks_check(struct bh_request *request);
void networks_settle(struct bh_request *request);

/* Asks netd for the networks that are there, and then calls `then` (which may be NULL) whether it worked or not. */
void networks_learn(struct policyd *policyd, void (*then)(struct policyd *policyd, void *argument), void *argument);
/* Whether links lead to a network nobody knows here: netd may. `attachment` may be NULL. */
bool networks_are_unknown(const struct policyd *policyd, const Bulkhead__Attachment *attachment);
/* The first network of links that is not this tenant's; NULL: all are. `attachment` may be NULL. */
const uint8_t *networks_find_foreign(const struct policyd *policyd, const Bulkhead__Attachment *attachment,
                                     uint32_t tenant_uid);
