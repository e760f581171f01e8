/* SPDX-License-Identifier: Apache-2.0
 *
 * The store as bh_service_run() takes it.
 */
#pragma once

#include "common/service.h"

extern const struct bh_service store_service;
