/* SPDX-License-Identifier: Apache-2.0
 *
 * The requests that rules are about: images, container specs, their start. Each decision is in the audit log before
 * anything is passed on; if it cannot be written there, nothing is.
 */
#pragma once

#include "policyd.h"

void admission_image(struct bh_request *request);
void admission_judge(struct bh_request *request);
void admission_start(struct bh_request *request);
