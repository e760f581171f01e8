/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside of spec.c: the decoders of a spec's parts. Each fills in its fields of a zeroed spec, or refuses.
 */
#pragma once

#include "spec.h"

int spec_decode_mounts(const Bulkhead__ContainerSpec *message, struct container_spec *spec, struct bh_error *error);
int spec_decode_limits(const Bulkhead__ContainerSpec *message, struct container_spec *spec, struct bh_error *error);
/* After network and host_ipc are known. */
int spec_decode_sysctls(const Bulkhead__ContainerSpec *message, struct container_spec *spec, struct bh_error *error);
int spec_decode_devices(const Bulkhead__ContainerSpec *message, struct container_spec *spec, struct bh_error *error);
/* After network is known. */
int spec_decode_attachment(const Bulkhead__ContainerSpec *message, struct container_spec *spec, struct bh_error *error);
int spec_decode_shared(const Bulkhead__ContainerSpec *message, struct container_spec *spec, struct bh_error *error);
/* Whether it is a path below /dev. */
bool spec_is_device_path(const char *path);
