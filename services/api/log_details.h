/* SPDX-License-Identifier: Apache-2.0
 *
 * What `logs --details` shows before each line: the labels and variables that the log's options name. They are the
 * image's and the client's, so they are escaped as parts of a URL, as Docker does.
 */
#pragma once

#include "common/error.h"
#include "types.pb-c.h"

/* "a=1,b=2 ", by name; " " if there are none. The result is the caller's. */
int log_details_make(Bulkhead__KeyValue *const *attributes, size_t n_attributes, char **ret_text,
                     struct bh_error *error);
