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
        *memory, *memory_swap, *memory_reservation, *kernel_memory, *cpus, *cpuset_cpus, *cpuset_mems, *shm_size,
        *pid_mode, *ipc_mode, *uts_mode, *cgroupns_mode, *userns_mode, *cgroup_parent, *restart, *log_driver,
        *container_id_file, *runtime, *isolation, *volume_driver, *gpus, *io_bandwidth, *health_command,
        *health_interval, *health_timeout, *health_start_period, *health_start_interval, *health_on_failure, *ipv4,
        *ipv6, *mac_address;
    struct strings env, env_files, labels, label_files, annotations, volumes, volumes_from, tmpfs, mounts, cap_add,
        cap_drop, security_opt, ulimits, group_add, add_host, sysctls, dns, dns_search, dns_options, attach, expose,
        publish, log_options, storage_options, links, link_local_ips, networks, network_aliases, devices,
        device_cgroup_rules, device_read_bps, device_write_bps, device_read_iops, device_write_iops, weight_devices;
    bool interactive, tty, remove, read_only, init, privileged, quiet, oom_kill_disable, publish_all, no_healthcheck,
        trust_demanded, api_socket;
    struct option_integer pids_limit, cpu_shares, cpu_period, cpu_quota, cpu_realtime_period, cpu_realtime_runtime,
        cpu_count, cpu_percent, io_operations, stop_timeout, oom_score_adjust, blkio_weight, memory_swappiness,
        health_retries;
};

/* All of them: run's table. create's begins CONTAINER_OPTIONS_OF_RUN rows later. */
#define CONTAINER_OPTIONS_OF_RUN 3
extern const struct option container_options_table[];
