/* SPDX-License-Identifier: Apache-2.0
 *
 * The control channel at descriptor 3 of every helper: fixed-size records (never protobuf) over a
 * SOCK_SEQPACKET socketpair, at most one descriptor each. The supervisor writes almost all of them;
 * from a helper it accepts READY and, from the engine alone, PRIVILEGES.
 *
 * Start of a helper: CONFIG, FOLDER..., PEER..., GO (supervisor) -> READY (helper). Later: PEER again
 * when a peer was restarted, CLIENT (api), RELOAD (policyd), STOP.
 */
#pragma once

#include <stdint.h>

#include "common/error.h"

#define BH_CONTROL_FD 3

/* Who is who. The numbers are stable: uid = configured base + role for the shared helpers. */
enum bh_role {
    BH_ROLE_NONE = 0,
    BH_ROLE_SUPERVISOR = 1,
    BH_ROLE_API = 2, /* one per tenant; `tenant_uid` tells which */
    BH_ROLE_ENGINE = 3,
    BH_ROLE_STORE = 4,
    BH_ROLE_FETCHER = 5,
    BH_ROLE_DIALER = 6,
    BH_ROLE_EXTRACTOR = 7,
    BH_ROLE_POLICYD = 8,
    BH_ROLE_EXECUTOR = 9,
    BH_ROLE_MONITOR = 10,
    BH_ROLE_CLI = 11,
    BH_ROLE_COPIER = 12,
    BH_ROLE_NETD = 13,
    BH_ROLE_COUNT = 14,
};

/* "engine", "store"...; "?" for a number that is none. */
const char *bh_role_name(enum bh_role role);
/* The role of that name, or BH_ROLE_NONE. */
enum bh_role bh_role_from_name(const char *name);

enum bh_control_kind {
    BH_CONTROL_CONFIG = 1, /* fd: sealed memfd with a packed bulkhead.Config */
    BH_CONTROL_FOLDER = 2, /* fd: O_PATH folder; `value` is an enum bh_folder */
    BH_CONTROL_PEER = 3,   /* fd: our end of the channel to `role` (of `tenant_uid`, if that is api) */
    BH_CONTROL_GO = 4,     /* no fd: everything was handed over; sandbox yourself and say READY. `value`: 1 if one of
                              this role served before, and died */
    BH_CONTROL_READY = 5,  /* helper -> supervisor */
    BH_CONTROL_CLIENT = 6, /* api only. fd: an accepted connection; `value` is the client's pid */
    BH_CONTROL_RELOAD = 7, /* read your policy files again */
    BH_CONTROL_STOP = 8,   /* finish and exit; containers go on */
    BH_CONTROL_PRIVILEGES = 9, /* engine -> supervisor, no fd; answer: the same kind, fd: sealed memfd with an
                                  array of struct bh_privilege_row; `value` echoes the question's */
};

/* Folders that a helper may be handed. */
enum bh_folder {
    BH_FOLDER_STATE = 1,      /* the helper's own folder, writable by it: its root if its sandbox says so */
    BH_FOLDER_LAYERS = 2,     /* executor: the store's sealed layers, read-only */
    BH_FOLDER_CONTAINERS = 3, /* executor: one folder per container */
    BH_FOLDER_LOGS = 4,       /* executor: one log folder per container */
    BH_FOLDER_POLICY = 5,     /* policyd: policy.d, read-only */
    BH_FOLDER_CERTS = 6,      /* fetcher: certs.d, read-only */
    BH_FOLDER_LIBEXEC = 7,    /* executor: where bulkhead-monitor lies, read-only */
    BH_FOLDER_VOLUMES = 8,    /* executor: one folder per tenant, in it one per volume */
    BH_FOLDER_COUNT = 9,
};

struct bh_control {
    uint32_t kind;       /* enum bh_control_kind */
    uint32_t role;       /* enum bh_role; 0 where it means nothing */
    uint32_t tenant_uid; /* the tenant's uid; 0 is the root tenant */
    uint32_t reserved;   /* 0 */
    uint64_t value;
};

#define BH_PRIVILEGE_TEXT 256

/* One running process, as the kernel tells it in /proc: what `bulkhead privileges` prints. */
struct bh_privilege_row {
    uint32_t role;
    uint32_t tenant_uid;
    int32_t pid;
    uint32_t uid, gid;
    uint32_t seccomp; /* 0 none, 1 strict, 2 filter */
    uint32_t seccomp_filters;
    uint32_t no_new_privs;
    uint64_t cap_inheritable, cap_permitted, cap_effective, cap_bounding, cap_ambient;
    uint64_t pss_bytes;
    uint32_t n_fds;
    uint32_t restarts;                  /* how often this role was started again after a death */
    char namespaces[BH_PRIVILEGE_TEXT]; /* those that differ from the supervisor's, "net,mnt,ipc,uts" */
    char root[BH_PRIVILEGE_TEXT];       /* "empty", "folder", "host" */
    char peers[BH_PRIVILEGE_TEXT];      /* roles it holds a channel to, from the wiring table: "api,store" */
};

/* Send and receive one record over a SEQPACKET socket. `fd` may be -1; *ret_fd is -1 or the caller's.
 * bh_control_receive() returns 1 for a record, 0 for end of file, -1 for an error (a record of another
 * size or with several descriptors is INVALID_ARGUMENT). */
int bh_control_send(int socket, const struct bh_control *record, int fd, struct bh_error *error);
int bh_control_receive(int socket, struct bh_control *ret_record, int *ret_fd, struct bh_error *error);
