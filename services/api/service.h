/* SPDX-License-Identifier: Apache-2.0
 *
 * The api service as the skeleton sees it.
 */
#pragma once

#include "common/service.h"

extern const struct bh_service api_service;
extern const struct bh_sandbox api_sandbox;
