/* SPDX-License-Identifier: Apache-2.0
 *
 * What may stand where the cursor is: for the shells' completion, from the same tables as everything else.
 */
#pragma once

#include <stdio.h>

#include "cli.h"

/* `words` are those behind "bulkhead" up to the cursor; the last is the one being typed, maybe empty. Prints a
 * candidate a line, with a tab and a description where there is one; ":files" hands over to the shell's own completion
 * of files. */
void complete_words(struct engine *engine, const struct strings *words, FILE *stream);
