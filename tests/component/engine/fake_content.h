/* SPDX-License-Identifier: Apache-2.0
 *
 * Plays store, fetcher and extractor, and the registry behind the fetcher. Its documents are plain words: a manifest is
 * "manifest <config> <layer>...", an index is "index", a config is "config <layer>...", where each is the name of a
 * blob of the registry, and a layer's uncompressed content is the layer itself.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/digest.h"
#include "common/error.h"

struct fake_content;

struct fake_content *fake_content_new(void);
void fake_content_serve_store(struct fake_content *fake, int fd);
void fake_content_serve_fetcher(struct fake_content *fake, int fd);
void fake_content_serve_extractor(struct fake_content *fake, int fd);
void fake_content_free(struct fake_content *fake);

/* The registry gets a blob of that name; its digest is its text's. */
void fake_registry_add(struct fake_content *fake, const char *name, const char *text);
/* A tag means the blob of that name. */
void fake_registry_tag(struct fake_content *fake, const char *tag, const char *name);
/* Only these credentials may read anything from now on; NULL: everybody. */
void fake_registry_require(struct fake_content *fake, const char *user);
/* Fetching this blob fails in the middle. */
void fake_registry_break(struct fake_content *fake, const char *name, bool broken);
/* The extractor finds another content in this layer than the config says. */
void fake_extractor_lie(struct fake_content *fake, bool lie);
/* Fetches of blobs wait until they are let go. */
void fake_registry_hold(struct fake_content *fake, bool hold);
void fake_registry_await_fetch(struct fake_content *fake);

struct bh_digest fake_digest(const char *text);
size_t fake_registry_fetches(struct fake_content *fake); /* of blobs, so far */
bool fake_store_has(struct fake_content *fake, const char *text, bool layer);
size_t fake_store_count(struct fake_content *fake);
/* The store has this content of an earlier time, and no row knows. */
void fake_store_add(struct fake_content *fake, const char *text);
