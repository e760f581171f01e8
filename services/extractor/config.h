/* SPDX-License-Identifier: Apache-2.0
 *
 * Image configurations (image-spec config.md, and what Docker adds to it). The result describes the image; what of it
 * a container gets is the engine's decision.
 */
#pragma once

#include "engine_extractor.pb-c.h"
#include "json.h"

struct config_document {
    Bulkhead__ImageConfig *config;
};

void config_document_free(struct config_document *document);
#define bh_autoconfig bh_cleanup(config_document_free)

int config_parse(json_t *json, struct config_document *ret_document, struct bh_error *error);
int config_read(int fd, struct config_document *ret_document, struct bh_error *error);
