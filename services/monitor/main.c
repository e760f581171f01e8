/* SPDX-License-Identifier: Apache-2.0
 *
 * bulkhead-monitor: stays with one container from its first instruction to its exit code. Executed by the executor with
 * numbered descriptors and nothing else; see common/monitor_start.h. Needs none of the other processes to go on.
 */
#include <stdlib.h>

#include "common/breach.h"
#include "common/log.h"
#include "monitor.h"
#include "start.h"

int main(void)
{
    static struct monitor monitor;
    struct bh_error error = {0};
    bh_log_init("monitor", BH_LOG_INFO);
    bh_breach_open();
    if (monitor_start_take(&monitor.start, &monitor.journal_fields, &error) < 0 || monitor_open(&monitor, &error) < 0) {
        bh_log_failure(BH_LOG_ERROR, &error, "start");
        return EXIT_FAILURE;
    }
    monitor_run(&monitor);
    return EXIT_SUCCESS;
}
