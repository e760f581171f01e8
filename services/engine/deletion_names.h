/* SPDX-License-Identifier: Apache-2.0
 *
 * Which of an image's names go together when one of them is deleted. Whole references; pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* At most one tag, and digests of the same repository only: who names the image means all of it. */
bool names_are_single(char *const *names, size_t n_names);

/* Does `other` go when `name` does? Itself; and, if `name` is the last tag of its repository, that repository's
 * digests. */
bool names_go_together(char *const *names, size_t n_names, const char *name, const char *other);
