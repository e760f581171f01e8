/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside of links.c: the questions to executor and netd, which a start and a connection share.
 */
#pragma once

#include "common/channel.h"
#include "container.pb-c.h"
#include "policyd.h"

/* INTERNAL unless it is NetworkOpened with as many descriptors as those links need. */
int links_check_opened(const struct bh_message *answer, const Bulkhead__Attachment *attachment, struct bh_error *error);
/* INTERNAL unless it is ContainerConnected alone. */
int links_check_connected(const struct bh_message *answer, struct bh_error *error);

/* LinkContainer, with the descriptors of `opened`. */
int links_ask_link(struct policyd *policyd, const ProtobufCBinaryData *id, uint32_t tenant_uid,
                   Bulkhead__Attachment *attachment, const struct bh_message *opened, uint32_t deadline_ms,
                   bh_call_notify notify, void *argument, struct bh_error *error);
/* DisconnectContainer, all links. */
int links_ask_unlink(struct policyd *policyd, const ProtobufCBinaryData *id, uint32_t tenant_uid, bh_call_notify notify,
                     void *argument, struct bh_error *error);
