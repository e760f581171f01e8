/* SPDX-License-Identifier: Apache-2.0
 *
 * See capability_names.h. The kernel's own header numbers them.
 */
#include "capability_names.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/capability.h>

const char *capability_canonical(const char *name, char *buffer, size_t buffer_bytes)
{
    bool prefixed = strncasecmp(name, "CAP_", 4) == 0;
    bool all = strcasecmp(name, "ALL") == 0;
    snprintf(buffer, buffer_bytes, "%s%s", prefixed || all ? "" : "CAP_", name);
    for (char *c = buffer; *c; c++) {
        *c = (char)toupper((unsigned char)*c);
    }
    return buffer;
}

int capability_number(const char *name)
{
    char canonical[64];
    cap_value_t value;
    capability_canonical(name, canonical, sizeof(canonical));
    if (strspn(canonical, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_") != strlen(canonical)) {
        return -1;
    }
    return cap_from_name(canonical, &value) == 0 && value < 64 ? value : -1;
}
