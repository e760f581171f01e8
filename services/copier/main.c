/* SPDX-License-Identifier: Apache-2.0
 *
 * bulkhead-copier: reads or writes the files of one container, for one job, from inside it. Started by the executor;
 * see common/copier_start.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "fill.h"
#include "sandbox.h"
#include "service.h"
#include "start.h"

int main(int argc, char **argv)
{
    struct copier copier;
    struct bh_error error = {0};
    if (argc == 2 && strcmp(argv[1], "--sandbox") == 0) {
        return bh_sandbox_show(&copier_sandbox);
    }
    if (argc == 2 && strcmp(argv[1], "--sandbox-reader") == 0) {
        return bh_sandbox_show(&copier_reader_sandbox);
    }
    bh_log_init("copier", BH_LOG_INFO);
    if (copier_start(argc, argv, &copier, &error) < 0) {
        bh_log_failure(BH_LOG_ERROR, &error, "start");
        return EXIT_FAILURE;
    }
    int result = copier.view == BH_COPIER_FILL ? fill_volume(&copier, &error) : service_run(&copier, &error);
    if (result < 0) {
        bh_log_failure(BH_LOG_WARNING, &error, "copy");
    }
    return result < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
