/* SPDX-License-Identifier: Apache-2.0
 *
 * SipHash-1-3 (Aumasson, Bernstein 2012), as Rust's and Python's tables use it: names from outside cannot be made to
 * collide without the key. Used by layer_tree.c.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

uint64_t siphash(const uint64_t key[2], const void *bytes, size_t n_bytes);
