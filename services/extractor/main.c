/* SPDX-License-Identifier: Apache-2.0
 *
 * The extractor: the only process that interprets archives, compressed streams, manifests and configurations. It
 * trusts none of its input; a worker per job reads it.
 */
#include "service.h"

int main(int argc, char **argv)
{
    return bh_service_run(&extractor_service, argc, argv);
}
