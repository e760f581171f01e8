/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether a ContainerSpec makes sense at all, whoever asks: every field bounded and of the right form, nothing set that
 * policyd sets. Pure. Called before any rule is looked at; what passes here can be judged, printed and passed on.
 */
#pragma once

#include <stdbool.h>

#include "common/error.h"
#include "container.pb-c.h"
#include "network.pb-c.h"

/* INVALID_ARGUMENT names the field and what would have been right. */
int spec_check(const Bulkhead__ContainerSpec *spec, struct bh_error *error);

/* The same for a process alone, as StartExec carries it. */
int spec_check_process(const Bulkhead__Process *process, struct bh_error *error);

/* The same for resources alone, as UpdateContainer carries them. */
int spec_check_resources(const Bulkhead__Resources *resources, struct bh_error *error);

/* The same for links alone, as ConnectContainer carries them. */
int spec_check_attachment(const Bulkhead__Attachment *attachment, struct bh_error *error);

/* The same for a network, as MakeNetwork carries it. */
int spec_check_network(const Bulkhead__NetworkSpec *network, struct bh_error *error);
/* The name of a network: one line, not empty, at most 255 bytes. */
bool spec_is_network_name(const char *name);

/* A volume's name as Docker allows them. */
bool spec_is_volume_name(const char *name);

/* An absolute path without "//", "." or ".." components, control characters, or a slash at its end (but "/" itself). */
bool spec_is_clean_path(const char *path);
