/* SPDX-License-Identifier: Apache-2.0
 *
 * Volumes at the one door: whether a tenant may make one, and that it was made or removed, in the audit log. A volume
 * needs no list of owners here: the executor looks for it in its tenant's own folder alone.
 */
#pragma once

#include "policyd.h"

void volumes_make(struct bh_request *request);
void volumes_drop(struct bh_request *request);
void volumes_list(struct bh_request *request);
void volumes_measure(struct bh_request *request);
