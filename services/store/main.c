/* SPDX-License-Identifier: Apache-2.0
 *
 * bulkhead-store keeps content: it hashes, writes and seals, and never interprets.
 */
#include "service.h"

int main(int argc, char **argv)
{
    return bh_service_run(&store_service, argc, argv);
}
