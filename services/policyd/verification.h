/* SPDX-License-Identifier: Apache-2.0
 *
 * VerifyAudit: a walk over the whole audit log in a thread of its own, one at a time.
 */
#pragma once

#include "common/channel.h"

void verification_handle(struct bh_request *request);
