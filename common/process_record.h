/* SPDX-License-Identifier: Apache-2.0
 *
 * How the list of a container's processes travels from the executor's worker to api, in a memory file: one record for
 * each process, followed by the kernel's files about it, as they are. The first record has pid 0 and is about the host:
 * /proc/stat (its end: from "btime" on) and /proc/uptime in the places of `stat` and `status`.
 */
#pragma once

#include <stdint.h>

#define BH_PROCESSES_MAX         1024U /* more processes than anybody reads; the list says that it was cut */
#define BH_PROCESS_COMMAND_BYTES 4096U /* of one command line */

struct bh_process_record {
    int32_t pid;
    uint32_t stat_bytes, status_bytes, command_bytes;
};
