/* SPDX-License-Identifier: Apache-2.0
 *
 * The engine as a service, and its sandbox.
 */
#pragma once

#include "common/service.h"

extern const struct bh_sandbox engine_sandbox;
extern const struct bh_service engine_service;
