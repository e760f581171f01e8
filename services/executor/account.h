/* SPDX-License-Identifier: Apache-2.0
 *
 * Accounts are looked up by the copier, too: see there.
 */
#pragma once

#include "common/account.h"
