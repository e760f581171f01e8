/* SPDX-License-Identifier: Apache-2.0
 *
 * gRPC's codes to HTTP statuses, after what Docker answers in the same case.
 */
#include "error_map.h"

#include <stddef.h>

static const int statuses[] = {
    [BH_CANCELLED] = 499, /* nobody is left to read it */
    [BH_UNKNOWN] = 500,
    [BH_INVALID_ARGUMENT] = 400,
    [BH_DEADLINE_EXCEEDED] = 504,
    [BH_NOT_FOUND] = 404,
    [BH_ALREADY_EXISTS] = 409,
    [BH_PERMISSION_DENIED] = 403,
    [BH_RESOURCE_EXHAUSTED] = 507, /* disk full, quota reached: asking again soon will not help, as 429 would say */
    [BH_FAILED_PRECONDITION] = 409,
    [BH_ABORTED] = 409,
    [BH_OUT_OF_RANGE] = 400,
    [BH_UNIMPLEMENTED] = 501,
    [BH_INTERNAL] = 500,
    [BH_UNAVAILABLE] = 503,
    [BH_DATA_LOSS] = 500,
    [BH_UNAUTHENTICATED] = 401,
};

int status_of_error(const struct bh_error *error)
{
    size_t code = (size_t)error->code;
    int status = code < sizeof(statuses) / sizeof(statuses[0]) ? statuses[code] : 500;
    return status ? status : 500;
}
