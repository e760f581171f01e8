/* SPDX-License-Identifier: Apache-2.0
 *
 * base64 (RFC 4648), for credentials and for the path stats of the archive endpoint.
 */
#pragma once

/* The alphabet for URLs, with padding. Owned by the caller; NULL without memory. */
char *base64_encode(const char *text);
/* Either alphabet; what is not in it ends the text. Owned by the caller; NULL without memory. */
char *base64_decode(const char *text);
