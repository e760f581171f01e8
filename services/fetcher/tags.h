/* SPDX-License-Identifier: Apache-2.0
 *
 * ListTags: all tags of the job's repository, page by page (distribution-spec, "Listing tags"). The list is hostile: it
 * is bounded, read strictly, and what is no tag by the grammar is refused.
 */
#pragma once

#include "body.h"
#include "job.h"

#define TAGS_MAX            20000 /* of one repository; pulling more at once is no pull any more */
#define TAGS_PAGES_MAX      1000
#define TAGS_PAGE_TAGS      500 /* what we ask for; a page's answer fits a message with room to spare */
#define TAGS_PAGE_BYTES_MAX (2 * 1024 * 1024)

int tags_start(struct job *job, struct bh_request *request, struct bh_error *error);

/* distribution-spec: a tag is [a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}. Pure. */
bool tags_is_tag(const char *text);

/* Reads one page. *ret_tags points into *ret_json, which the caller releases. Pure. */
struct json_t;
int tags_parse(const char *body, size_t n_bytes, struct json_t **ret_json, char ***ret_tags, size_t *ret_n_tags,
               struct bh_error *error);
