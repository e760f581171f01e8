/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside of the supervisor: its state, and what supervisor.c (life and death) and clients.c (who connects) share.
 */
#pragma once

#include <event2/event.h>

#include "helper.h"
#include "helpers_log.h"

#define TENANTS_MAX 1024 /* live api processes; each has a uid of its own */

struct supervisor {
    const struct settings *settings;
    struct folders folders;
    struct event_base *base;
    struct event *accept_event;
    int listener;
    struct helpers_log log;
    bool made_socket, listening, stopping;
    enum bh_role refused; /* the helper that could not start; BH_ROLE_NONE */
    TAILQ_HEAD(, helper) helpers;
};

/* The helper of that role (of that tenant, if it is api), or NULL. */
struct helper *supervisor_find_helper(struct supervisor *supervisor, enum bh_role role, uint32_t tenant_uid);
/* A new one, not yet started. NULL without memory. */
struct helper *supervisor_add_helper(struct supervisor *supervisor, enum bh_role role, uint32_t tenant_uid,
                                     uint32_t uid);
/* Spawns and wires it; if that fails, it is tried again later. */
void supervisor_start_helper(struct helper *helper);
