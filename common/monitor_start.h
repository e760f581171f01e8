/* SPDX-License-Identifier: Apache-2.0
 *
 * How the executor starts a monitor, and what a monitor leaves behind. Both are fixed-size records: the monitor is told
 * everything through numbered descriptors, and the executor reads back one record it can check at a glance.
 *
 * The monitor's process is forked by the executor and becomes the parent of the container's first process (so it can
 * waitpid() for it); once that one has executed its program, it drops every privilege and executes bulkhead-monitor
 * with exactly the descriptors below and an empty environment.
 */
#pragma once

#include <stdint.h>

#include "common/limits.h"

/* Descriptors of a freshly executed monitor; everything else is closed. */
enum bh_monitor_fd {
    BH_MONITOR_FD_START =
        3, /* sealed memfd: struct bh_monitor_start, `filter_count` struct sock_filter, the journal's fields */
    BH_MONITOR_FD_LOGS = 4,    /* its log folder, writable by it */
    BH_MONITOR_FD_LISTEN = 5,  /* SOCK_SEQPACKET unix listener; each connection speaks engine_monitor.proto */
    BH_MONITOR_FD_FIRST = 6,   /* a first, already connected one (ContainerStarted hands out its other end) */
    BH_MONITOR_FD_PIDFD = 7,   /* the container's first process, its child */
    BH_MONITOR_FD_STDIN = 8,   /* to write; the pty's master with a tty; /dev/null if stdin is not open */
    BH_MONITOR_FD_STDOUT = 9,  /* to read; with a tty the pty's master again */
    BH_MONITOR_FD_STDERR = 10, /* to read; with a tty /dev/null */
    BH_MONITOR_FD_OOM =
        11, /* to read: memory.events (v2) or an eventfd (v1) that tells of OOM kills; /dev/null if none */
    BH_MONITOR_FD_JOURNAL = 12, /* connected datagram socket of the host's journal; /dev/null with other log drivers */
    BH_MONITOR_FD_ATTACH = 13,  /* then `attachments` times: stdin to read, stdout and stderr to write */
};

/* How the log is kept; numbered as LogDriver of container.proto. */
enum bh_log_driver {
    BH_LOG_DRIVER_NONE = 1,
    BH_LOG_DRIVER_JSON_FILE = 2,
    BH_LOG_DRIVER_LOCAL = 3,
    BH_LOG_DRIVER_JOURNALD = 4,
};

/* What every journal entry of a container says beside its message. */
#define BH_JOURNAL_FIELDS_MAX 16384U

#define BH_MONITOR_MAGIC 0x4d4b4842U /* "BHKM" */

struct bh_monitor_start {
    uint32_t magic;
    uint32_t attachments;     /* at most BH_ATTACHMENTS_MAX */
    uint8_t container_id[32]; /* for its own log lines only */
    int32_t pid;              /* of the container's first process, in the monitor's pid namespace */
    uint8_t tty, open_stdin, stdin_once;
    uint8_t log_driver;     /* enum bh_log_driver */
    uint64_t log_max_bytes; /* 0: no rotation */
    uint32_t log_max_files; /* container.log, container.log.1, ... */
    uint32_t oom_version;   /* 0 none, 1 eventfd, 2 memory.events */
    uint32_t filter_count;  /* seccomp instructions that follow; the monitor installs them first of all */
    uint32_t journal_bytes; /* fields of each journal entry, behind the filter, at most BH_JOURNAL_FIELDS_MAX */
    uint32_t keep_bytes;    /* of the output, to be told at the end; at most BH_KEPT_OUTPUT_MAX */
    uint32_t ephemeral;     /* 1: removed when it ends, so its exit record need not survive a power cut */
    uint32_t log_compress;  /* 1: container.log.1 becomes container.log.1.gz when there is time for it */
    uint32_t reserved;      /* 0 */
};

/* Written by the monitor to "exit" in its log folder: to "exit.new", fsynced, renamed. */
struct bh_exit_record {
    uint32_t magic;      /* BH_MONITOR_MAGIC */
    int32_t exit_code;   /* 0..255: what wait(2) says, 128 + signal if a signal ended it */
    uint32_t oom_killed; /* 0 or 1 */
    uint32_t reserved;
    int64_t finished_at_ns;
    uint8_t container_id[32];
};
