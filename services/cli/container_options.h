/* SPDX-License-Identifier: Apache-2.0
 *
 * The options of `run` and `create`: Docker's names, one table. container_request.c makes the API's request from them.
 */
#pragma once

#include "options.h"

struct container_options {
    /* run's own */
    bool detach, signals_kept;
    const char *detach_keys;

    const char *name, *user, *working_dir, *entrypoint, *host_name, *domain_name, *pull, *platform, *stop_signal,
        *memory, *memory_swap, *memory_reservation, *cpus, *cpuset_cpus, *cpuset_mems, *shm_size, *network, *pid_mode,
        *ipc_mode, *uts_mode, *cgroupns_mode, *userns_mode, *cgroup_parent, *restart, *log_driver, *container_id_file;
    struct strings env, env_files, labels, label_files, volumes, tmpfs, mounts, cap_add, cap_drop, security_opt,
        ulimits, group_add, add_host, sysctls, dns, dns_search, dns_options, attach, expose, log_options;
    bool interactive, tty, remove, read_only, init, privileged, quiet, oom_kill_disable;
    struct option_integer pids_limit, cpu_shares, cpu_period, cpu_quota, stop_timeout, oom_score_adjust, blkio_weight;
};

/* All of them: run's table. create's begins CONTAINER_OPTIONS_OF_RUN rows later. */
#define CONTAINER_OPTIONS_OF_RUN 3
extern const struct option container_options_table[];
