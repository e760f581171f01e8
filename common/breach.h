/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the build for breach tests (BH_BREACH, tests/breach) lets an attacker into a process: whoever listens has it
 * execute system calls once its sandbox is in force. In every other build these are empty and nothing of them is there.
 */
#pragma once

#include <signal.h>

#ifdef BH_BREACH
/* Connects to the attacker, if there is one, and serves him whenever SIGUSR2 arrives. Called before the sandbox. */
void bh_breach_open(void);
/* The attacker's descriptor, which a worker keeps; -1 if there is none. */
int bh_breach_fd(void);
/* In a worker whose sandbox is in force: serves at once if the attacker asked its service for workers of that name. */
void bh_breach_worker(const char *name);
/* Takes SIGUSR2 out of a set that is about to be blocked. */
void bh_breach_spare(sigset_t *set);
#else
static inline void bh_breach_open(void)
{
}
static inline int bh_breach_fd(void)
{
    return -1;
}
static inline void bh_breach_worker(const char *name)
{
    (void)name;
}
static inline void bh_breach_spare(sigset_t *set)
{
    (void)set;
}
#endif
