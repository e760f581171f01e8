/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers a 401 of the job's own registry: Basic at once, Bearer by asking its token server. exchange.c calls this and
 * is told when to try again.
 */
#pragma once

#include "session.h"

/* Acts on a challenge. Returns 1 if session->header is new already, 0 if a token was asked for (exchanges_authorized()
 * will be called), -1 with UNAUTHENTICATED or PERMISSION_DENIED if there is nothing (more) to prove or it may not be
 * proven there. */
int authorize(struct session *session, const struct challenge *challenge, struct bh_error *error);
/* Forgets a token request that is under way. */
void authorize_abort(struct session *session);
