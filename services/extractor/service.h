/* SPDX-License-Identifier: Apache-2.0
 *
 * The extractor's place in the wiring, and the table of its sandbox.
 */
#pragma once

#include "common/service.h"

extern const struct bh_service extractor_service;

extern const struct bh_sandbox extractor_sandbox;
extern const struct bh_worker_sandbox extractor_worker_sandbox;
