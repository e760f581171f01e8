/* SPDX-License-Identifier: Apache-2.0
 *
 * A question with the answer no unless somebody says yes.
 */
#include "confirm.h"

#include <stdio.h>
#include <string.h>

bool confirm(const char *warning)
{
    char answer[16] = "";
    (void)printf("%sAre you sure you want to continue? [y/N] ", warning);
    (void)fflush(stdout);
    if (!fgets(answer, sizeof(answer), stdin)) {
        (void)putchar('\n');
    }
    answer[strcspn(answer, "\r\n")] = '\0';
    if (strcmp(answer, "y") == 0 || strcmp(answer, "Y") == 0) {
        return true;
    }
    return false;
}
