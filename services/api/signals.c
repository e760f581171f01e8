/* SPDX-License-Identifier: Apache-2.0
 *
 * See signals.h. The table is Linux' own; the numbers are the engine's affair.
 */
#include "signals.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SIGNAL_MAX   64
#define REALTIME_MAX 30 /* RTMAX - RTMIN */

bool signal_is_known(const char *text)
{
    static const char *const names[] = {"ABRT", "ALRM",   "BUS",  "CHLD",   "CLD",   "CONT", "FPE",  "HUP",   "ILL",
                                        "INT",  "IO",     "IOT",  "KILL",   "PIPE",  "POLL", "PROF", "PWR",   "QUIT",
                                        "SEGV", "STKFLT", "STOP", "SYS",    "TERM",  "TRAP", "TSTP", "TTIN",  "TTOU",
                                        "URG",  "USR1",   "USR2", "VTALRM", "WINCH", "XCPU", "XFSZ", "RTMIN", "RTMAX"};
    char *end;
    if (*text >= '0' && *text <= '9') {
        unsigned long number = strtoul(text, &end, 10);
        return *end == '\0' && number >= 1 && number <= SIGNAL_MAX;
    }
    const char *name = strncasecmp(text, "SIG", 3) == 0 ? text + 3 : text;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcasecmp(names[i], name) == 0) {
            return true;
        }
    }
    if (strncasecmp(name, "RTMIN+", 6) != 0 && strncasecmp(name, "RTMAX-", 6) != 0) {
        return false;
    }
    unsigned long offset = strtoul(name + 6, &end, 10);
    return name[6] >= '0' && name[6] <= '9' && *end == '\0' && offset <= REALTIME_MAX;
}
