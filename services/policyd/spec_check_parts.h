/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside of spec_check.c: what its parts share.
 */
#pragma once

#include "spec_check.h"

/* FIELD "VALUE" must be WANTED. Returns -1. */
int spec_check_wrong(struct bh_error *error, const char *field, const char *value, const char *wanted);
/* Of letters, digits and `others`, 1 to `n_bytes_max` of them. */
bool spec_is_made_of(const char *text, const char *others, size_t n_bytes_max);
/* Text that stands on one line of a file or message: no control characters, bounded. */
bool spec_is_plain(const char *text, size_t n_bytes_max);

/* spec_check_devices.c */
int spec_check_device_limits(Bulkhead__DeviceLimit *const *limits, size_t n_limits, struct bh_error *error);
int spec_check_devices(const Bulkhead__ContainerSpec *spec, struct bh_error *error);
int spec_check_shared(const Bulkhead__ContainerSpec *spec, struct bh_error *error);
int spec_check_cgroup_parent(const char *path, struct bh_error *error);
