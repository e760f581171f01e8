/* SPDX-License-Identifier: Apache-2.0
 *
 * ProbeBlob: how something stored is compressed, by its first bytes. Manifests that we write ourselves say so of each
 * layer.
 */
#pragma once

#include "engine_extractor.pb-c.h"
#include "common/error.h"

/* `fd` is a file; its position does not matter. */
int probe_compression(int fd, Bulkhead__Compression *ret_compression, struct bh_error *error);
