/* SPDX-License-Identifier: Apache-2.0
 *
 * A real executor with the test as policyd: layers made from Debian's busybox with mkfs.erofs, containers started,
 * watched through their real monitors, and removed.
 */
#pragma once

#ifdef __clang__ /* messages in tests point at literals */
#pragma GCC diagnostic ignored "-Wincompatible-pointer-types-discards-qualifiers"
#else
#pragma GCC diagnostic ignored "-Wdiscarded-qualifiers"
#endif

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../harness.h"
#include "policyd_executor.pb-c.h"

#define STAGE_ID_BASE     0x6f000000U
#define STAGE_MONITOR_UID 0x6fee2000U
#define DOCKERS_14        0xa80425fbULL /* Docker's fourteen capabilities */

extern struct harness stage;

/* For Criterion's .init and .fini. The second also checks that nothing is left: processes, mounts, cgroups, files. */
void stage_open(void);
void stage_close(void);
/* Kills the executor with SIGKILL and starts another one on the same folders. */
void stage_restart(void);
/* Waits until nothing is left of removed containers: that goes in the background. */
void stage_settle(void);

/* Makes a layer of a folder's contents; its digest is made of `number`. */
void stage_layer(uint8_t number, const char *folder);
/* Makes a layer whose one entry is a symbolic link. */
void stage_link_layer(uint8_t number, const char *name, const char *target);
/* Makes a layer with one file. */
void stage_file_layer(uint8_t number, const char *path, const char *text, unsigned int mode);

/* One container: a spec that is right, with Docker's defaults, to be changed before it is started. */
struct container {
    Bulkhead__ContainerSpec spec;
    Bulkhead__Process process;
    Bulkhead__Resources resources;
    Bulkhead__LogOptions log;
    uint8_t id[32];
    char *args[8];
    ProtobufCBinaryData layers[4];
    uint8_t digests[4][32];
    int pid;
    int standard_input, output, errors; /* our ends, -1 where closed */
    struct bh_channel *monitor;
    struct bh_error error; /* why it did not start */
    struct bh_call *call;  /* between container_begin() and container_finish() */
    int links;             /* write end of what a container that is linked to networks waits for; -1 */
};

/* Layer 1 (busybox) and `/bin/sh -c script`. */
void container_init(struct container *container, const char *script);
void container_add_layer(struct container *container, uint8_t number);

/* Starts it with our pipes attached. 0, or -1 with container->error. */
int container_start(struct container *container);
/* The same in two halves. Of a container that is linked to networks, the descriptors made in its namespace come after
 * the first (its `call` is waited for by the caller), and the byte in `links` is the caller's to write. */
void container_begin(struct container *container);
int container_finish(struct container *container);
/* Waits for its end. Returns the exit code. */
int container_wait(struct container *container);
/* Closes our ends and removes it. */
void container_remove(struct container *container);

/* All of it: starts, reads both streams to their end (into one buffer of `size`), waits, removes. Returns the exit
 * code, or -1 with container->error if it did not start. */
int container_run(struct container *container, char *output, size_t size);
/* The same for a script in an ordinary container. */
int run(const char *script, char *output, size_t size);

/* Typed questions; each returns 0 or -1 with *error. `ret_fds` may be NULL. */
int ask_signal(const struct container *container, uint32_t number, struct bh_error *error);
int ask_remove(const struct container *container, struct bh_error *error);
int ask_freeze(const struct container *container, bool frozen, struct bh_error *error);
int ask_update(const struct container *container, Bulkhead__Resources *resources, struct bh_error *error);
int ask_monitor(const struct container *container, int *ret_fd, struct bh_error *error);
int ask_log(const struct container *container, int *ret_fd, struct bh_error *error);
/* Copies what was found. */
int ask_inspect(const struct container *container, Bulkhead__ContainerFound *ret_found, struct bh_error *error);
/* How many containers ListContainers tells of; *ret_found (may be NULL) says whether ours is one, running. */
int ask_list(const struct container *container, bool *ret_running);

/* A copy, the caller's; *ret_network is -1 where none came. */
int ask_stats(const struct container *container, Bulkhead__StatsRead **ret_stats, int *ret_network,
              struct bh_error *error);
int ask_processes(const struct container *container, uint32_t *ret_n, int *ret_fd, struct bh_error *error);
int ask_kernel(Bulkhead__KernelDescribed **ret_kernel, struct bh_error *error);

/* A further process in a running container: `/bin/sh -c script`, to be changed before it is started. */
struct exec {
    const struct container *container;
    Bulkhead__ExecSpec spec;
    Bulkhead__ExecId exec;
    Bulkhead__ContainerId owner;
    Bulkhead__Process process;
    uint8_t id[32];
    char *args[4];
    int pid;
    int standard_input, output, errors; /* our ends, -1 where closed */
    struct bh_channel *monitor;
    struct bh_error error; /* why it did not start */
};
void exec_prepare(struct exec *exec, const struct container *container, const char *script);
int exec_start(struct exec *exec);
/* Waits for its end. Returns the exit code. */
int exec_wait(struct exec *exec);
void exec_forget(struct exec *exec);
/* All of it, as container_run() does it. */
int exec_run(struct exec *exec, char *output, size_t size);
int ask_exec(const struct exec *exec, Bulkhead__ExecFound *ret_found, struct bh_error *error);
int ask_exec_signal(const struct exec *exec, uint32_t number, struct bh_error *error);
int ask_exec_remove(const struct exec *exec, struct bh_error *error);
int ask_exec_monitor(const struct exec *exec, int *ret_fd, struct bh_error *error);
/* Waits on a connection to a monitor for the exit code; takes over the connection. */
int exec_wait_on(int fd);
