/* SPDX-License-Identifier: Apache-2.0
 *
 * bulkheadd: spawns every process of the engine, wires them, restarts what dies. Holds root's rights and therefore
 * reads nothing that somebody else wrote: its own configuration, and fixed-size records from its children.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "sandbox.h"
#include "settings.h"
#include "supervisor.h"

int main(int argc, char **argv)
{
    struct settings settings;
    struct bh_error error;
    bh_log_init("supervisor", BH_LOG_INFO);
    if (argc == 2 && strcmp(argv[1], "--sandbox") == 0) {
        return bh_sandbox_show(&supervisor_sandbox);
    }
    int parsed = settings_parse(argc, argv, &settings, &error);
    if (parsed < 0) {
        char text[1024];
        (void)fprintf(stderr, "bulkheadd: %s\n", bh_error_format(&error, text, sizeof(text)));
        return 2;
    }
    if (parsed == SETTINGS_EXIT) {
        return EXIT_SUCCESS;
    }
    bh_log_init("supervisor", settings.log_level);
    if (supervisor_run(&settings, &error) < 0) {
        bh_log_failure(BH_LOG_ERROR, &error, "cannot run");
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
