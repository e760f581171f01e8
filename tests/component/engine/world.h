/* SPDX-License-Identifier: Apache-2.0
 *
 * One engine and everybody around it: api channels of two tenants, and fakes that run in threads of the test.
 */
#pragma once

#include <criterion/criterion.h>

#include "api_engine.pb-c.h"
#include "common/cleanup.h"
#include "common/digest.h"
#include "fake_content.h"
#include "fake_policyd.h"
#include "tests/component/harness.h"

#define OTHER_TENANT 1000U

struct world {
    struct harness harness;
    struct bh_channel *root, *other; /* api of uid 0 and of OTHER_TENANT */
    struct fake_policyd *policyd;
    struct fake_content *content;
};

void world_start(struct world *world);
/* Ends everything and removes the folder. */
void world_stop(struct world *world);
/* Kills the engine with SIGKILL and starts another on the same folder. The fakes keep what they know. */
void world_restart(struct world *world);
/* Gives the engine a new channel to policyd or to the store's family, as the supervisor does after a death. */
void world_rewire_policyd(struct world *world);

/* ---- what api asks ------------------------------------------------------------------------------ */

#define API(name, kind, field, value)                                                                                  \
    Bulkhead__ApiToEngine name = BULKHEAD__API_TO_ENGINE__INIT;                                                        \
    name.body_case = BULKHEAD__API_TO_ENGINE__BODY_##kind;                                                             \
    name.field = (value)

/* One final answer of that kind; NULL (and `error` set) if it was an error. */
struct bh_message *ask(struct bh_channel *api, Bulkhead__ApiToEngine *packet, const int *fds, size_t n_fds,
                       uint32_t kind, struct bh_error *error);

/* Adds the image "busybox" to a tenant by pulling it. */
void pull(struct bh_channel *api, const char *reference);
enum bh_code try_pull(struct bh_channel *api, const char *reference, const char *user, struct bh_error *error);

/* Creates a container; "" if refused. `ret_id` gets 64 hex digits. */
enum bh_code create(struct bh_channel *api, const char *name, bool auto_remove, char ret_id[static BH_DIGEST_HEX_SIZE],
                    struct bh_error *error);
enum bh_code start(struct bh_channel *api, const char *reference, struct bh_error *error);
enum bh_code kill_one(struct bh_channel *api, const char *reference, const char *signal, struct bh_error *error);
enum bh_code delete_one(struct bh_channel *api, const char *reference, bool force, struct bh_error *error);
/* Status and exit code of a container. */
enum bh_code look_up(struct bh_channel *api, const char *reference, Bulkhead__ContainerStatus *ret_status,
                     int32_t *ret_exit_code, struct bh_error *error);
/* Waits until it has that status; the engine learns of exits on its own. */
void await_status(struct bh_channel *api, const char *reference, Bulkhead__ContainerStatus status);
/* Starts to wait; the answer is taken with waited(). */
struct bh_call *begin_wait(struct bh_channel *api, const char *reference, Bulkhead__WaitCondition condition);
int32_t waited(struct bh_call *call);
