/* SPDX-License-Identifier: Apache-2.0
 *
 * Taking links away; see attach.h.
 */
