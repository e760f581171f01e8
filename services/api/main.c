/* SPDX-License-Identifier: Apache-2.0
 *
 * bulkhead-api: speaks HTTP to one tenant's clients and types to the engine.
 */
#include "service.h"

int main(int argc, char **argv)
{
    return bh_service_run(&api_service, argc, argv);
}
