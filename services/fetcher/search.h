/* SPDX-License-Identifier: Apache-2.0
 *
 * SearchImages: the search of the first registry protocol (GET /v1/search), which Docker Hub's index still answers and
 * hardly anybody else. What it finds is hostile: bounded, and read strictly.
 */
#pragma once

#include "job.h"

#define SEARCH_BYTES_MAX       (1024 * 1024) /* of the whole answer */
#define SEARCH_LIMIT_MAX       100           /* Docker's own */
#define SEARCH_TERM_MAX        255
#define SEARCH_NAME_MAX        255
#define SEARCH_DESCRIPTION_MAX 1000 /* bytes of a description that are passed on */

int search_start(struct job *job, struct bh_request *request, const char *term, uint32_t limit, struct bh_error *error);
