/* SPDX-License-Identifier: Apache-2.0
 *
 * The engine's program: everything is in the struct.
 */
#include "services/engine/service.h"

int main(int argc, char **argv)
{
    return bh_service_run(&engine_service, argc, argv);
}
