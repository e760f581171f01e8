/* SPDX-License-Identifier: Apache-2.0
 *
 * The engine and everybody around it; see world.h.
 */
#include "world.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#define PATIENCE_MS 10000

static const struct bh_protocol api_protocol = {
    .name = "test_api",
    .incoming = &bulkhead__engine_to_api__descriptor,
    .outgoing = &bulkhead__api_to_engine__descriptor,
};

static const struct harness_options options = {
    .program = "bulkhead-engine",
    .role = BH_ROLE_ENGINE,
    .peers = {BH_ROLE_API, BH_ROLE_STORE, BH_ROLE_FETCHER, BH_ROLE_EXTRACTOR, BH_ROLE_POLICYD},
    .folders = {BH_FOLDER_STATE},
};

static int give_peer(struct world *world, enum bh_role role, uint32_t tenant_uid)
{
    int ends[2];
    struct bh_error error = {0};
    const struct bh_control record = {.kind = BH_CONTROL_PEER, .role = role, .tenant_uid = tenant_uid};
    cr_assert_eq(bh_channel_pair(ends, &error), 0);
    cr_assert_eq(bh_control_send(world->harness.control, &record, ends[1], &error), 0);
    bh_close(&ends[1]);
    return ends[0];
}

static void start_engine(struct world *world)
{
    struct bh_error error = {0};
    harness_start(&world->harness, &options);
    world->root = harness_channel(&world->harness, BH_ROLE_API, &api_protocol);
    fake_policyd_serve(world->policyd, bh_steal_fd(&world->harness.peers[BH_ROLE_POLICYD]));
    fake_content_serve_store(world->content, bh_steal_fd(&world->harness.peers[BH_ROLE_STORE]));
    fake_content_serve_fetcher(world->content, bh_steal_fd(&world->harness.peers[BH_ROLE_FETCHER]));
    fake_content_serve_extractor(world->content, bh_steal_fd(&world->harness.peers[BH_ROLE_EXTRACTOR]));
    cr_assert_eq(bh_channel_new(&api_protocol, world, &world->other, &error), 0);
    cr_assert_eq(bh_channel_wire(world->other, give_peer(world, BH_ROLE_API, OTHER_TENANT), &error), 0);
}

void world_start(struct world *world)
{
    *world = (struct world){.policyd = fake_policyd_new(), .content = fake_content_new()};
    fake_registry_add(world->content, "layer1", "the bytes of layer one");
    fake_registry_add(world->content, "layer2", "the bytes of layer two");
    fake_registry_add(world->content, "config", "config layer1 layer2");
    fake_registry_add(world->content, "manifest", "manifest config layer1 layer2");
    fake_registry_add(world->content, "index", "index amd64 manifest");
    fake_registry_tag(world->content, "latest", "index");
    start_engine(world);
}

void world_stop(struct world *world)
{
    bh_channel_free(world->other);
    int status = harness_stop(&world->harness);
    fake_content_free(world->content);
    fake_policyd_free(world->policyd);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the engine ended with wait status 0x%x", status);
}

void world_restart(struct world *world)
{
    (void)kill(world->harness.pid, SIGKILL);
    cr_assert_eq(waitpid(world->harness.pid, NULL, 0), world->harness.pid);
    bh_channel_free(world->other);
    for (int role = 0; role < BH_ROLE_COUNT; role++) {
        bh_channel_free(world->harness.channels[role]);
        bh_close(&world->harness.peers[role]);
    }
    bh_close(&world->harness.control);
    start_engine(world);
}

void world_rewire_policyd(struct world *world)
{
    fake_policyd_serve(world->policyd, give_peer(world, BH_ROLE_POLICYD, 0));
}

/* ---- what api asks ------------------------------------------------------------------------------ */

struct bh_message *ask(struct bh_channel *api, Bulkhead__ApiToEngine *packet, const int *fds, size_t n_fds,
                       uint32_t kind, struct bh_error *error)
{
    struct bh_message *message = NULL;
    bh_error_clear(error);
    return bh_call(api, &packet->base, fds, n_fds, 20000, kind, &message, error) < 0 ? NULL : message;
}

static enum bh_code ask_done(struct bh_channel *api, Bulkhead__ApiToEngine *packet, struct bh_error *error)
{
    bh_automessage struct bh_message *message = ask(api, packet, NULL, 0, BULKHEAD__ENGINE_TO_API__BODY_DONE, error);
    return message ? BH_OK : error->code;
}

enum bh_code try_pull(struct bh_channel *api, const char *reference, const char *user, struct bh_error *error)
{
    Bulkhead__PullImage body = BULKHEAD__PULL_IMAGE__INIT;
    Bulkhead__Credentials credentials = BULKHEAD__CREDENTIALS__INIT;
    bh_autocall struct bh_call *call = NULL;
    body.reference = (char *)(uintptr_t)reference;
    credentials.username = (char *)(uintptr_t)user;
    body.credentials = &credentials;
    API(packet, PULL_IMAGE, pull_image, &body);
    bh_error_clear(error);
    cr_assert_eq(bh_call_start(api, &packet.base, NULL, 0, 20000, &call, error), 0);
    for (;;) {
        bh_automessage struct bh_message *message = NULL;
        if (bh_call_next(call, &message, error) < 0) {
            return error->code;
        }
        if (!message->more) {
            return BH_OK;
        }
    }
}

void pull(struct bh_channel *api, const char *reference)
{
    struct bh_error error;
    cr_assert_eq(try_pull(api, reference, "", &error), BH_OK, "%s", error.message);
}

enum bh_code create(struct bh_channel *api, const char *name, bool auto_remove, char ret_id[static BH_DIGEST_HEX_SIZE],
                    struct bh_error *error)
{
    static char image[] = "busybox", mode[] = "none";
    Bulkhead__CreateContainer body = BULKHEAD__CREATE_CONTAINER__INIT;
    Bulkhead__ContainerRequest request = BULKHEAD__CONTAINER_REQUEST__INIT;
    request.image = image;
    request.network = BULKHEAD__NETWORK_MODE__NETWORK_MODE_NONE;
    request.network_mode = mode;
    request.seccomp = BULKHEAD__SECCOMP_MODE__SECCOMP_MODE_DEFAULT;
    request.auto_remove = auto_remove;
    body.name = (char *)(uintptr_t)name;
    body.request = &request;
    API(packet, CREATE_CONTAINER, create_container, &body);
    bh_automessage struct bh_message *message =
        ask(api, &packet, NULL, 0, BULKHEAD__ENGINE_TO_API__BODY_CONTAINER_CREATED, error);
    ret_id[0] = '\0';
    if (!message) {
        return error->code;
    }
    struct bh_digest id;
    const Bulkhead__ContainerCreated *created = bh_message_body(message);
    cr_assert_eq(bh_digest_from_bytes(created->id.data, created->id.len, &id, error), 0);
    (void)bh_digest_hex(&id, ret_id);
    return BH_OK;
}

enum bh_code start(struct bh_channel *api, const char *reference, struct bh_error *error)
{
    Bulkhead__RunContainer body = BULKHEAD__RUN_CONTAINER__INIT;
    body.reference = (char *)(uintptr_t)reference;
    API(packet, RUN_CONTAINER, run_container, &body);
    return ask_done(api, &packet, error);
}

enum bh_code kill_one(struct bh_channel *api, const char *reference, const char *signal, struct bh_error *error)
{
    Bulkhead__KillContainer body = BULKHEAD__KILL_CONTAINER__INIT;
    body.reference = (char *)(uintptr_t)reference;
    body.signal = (char *)(uintptr_t)signal;
    API(packet, KILL_CONTAINER, kill_container, &body);
    return ask_done(api, &packet, error);
}

enum bh_code delete_one(struct bh_channel *api, const char *reference, bool force, struct bh_error *error)
{
    Bulkhead__DeleteContainer body = BULKHEAD__DELETE_CONTAINER__INIT;
    body.reference = (char *)(uintptr_t)reference;
    body.force = force;
    API(packet, DELETE_CONTAINER, delete_container, &body);
    return ask_done(api, &packet, error);
}

enum bh_code look_up(struct bh_channel *api, const char *reference, Bulkhead__ContainerStatus *ret_status,
                     int32_t *ret_exit_code, struct bh_error *error)
{
    Bulkhead__LookUpContainer body = BULKHEAD__LOOK_UP_CONTAINER__INIT;
    body.reference = (char *)(uintptr_t)reference;
    API(packet, LOOK_UP_CONTAINER, look_up_container, &body);
    bh_automessage struct bh_message *message =
        ask(api, &packet, NULL, 0, BULKHEAD__ENGINE_TO_API__BODY_CONTAINER_DETAILS, error);
    if (!message) {
        return error->code;
    }
    const Bulkhead__ContainerDetails *details = bh_message_body(message);
    *ret_status = details->state->status;
    *ret_exit_code = details->state->exit_code;
    return BH_OK;
}

void await_status(struct bh_channel *api, const char *reference, Bulkhead__ContainerStatus status)
{
    struct bh_error error;
    Bulkhead__ContainerStatus now = 0;
    int32_t exit_code;
    for (int waited_ms = 0; waited_ms < PATIENCE_MS; waited_ms += 5) {
        if (look_up(api, reference, &now, &exit_code, &error) == BH_OK && now == status) {
            return;
        }
        (void)poll(NULL, 0, 5);
    }
    cr_assert_fail("%s has status %d, not %d", reference, now, status);
}

struct bh_call *begin_wait(struct bh_channel *api, const char *reference, Bulkhead__WaitCondition condition)
{
    struct bh_error error = {0};
    struct bh_call *call = NULL;
    bh_automessage struct bh_message *message = NULL;
    Bulkhead__WaitContainer body = BULKHEAD__WAIT_CONTAINER__INIT;
    body.reference = (char *)(uintptr_t)reference;
    body.condition = condition;
    API(packet, WAIT_CONTAINER, wait_container, &body);
    cr_assert_eq(bh_call_start(api, &packet.base, NULL, 0, 60000, &call, &error), 0);
    cr_assert_eq(bh_call_next(call, &message, &error), 0, "%s", error.message);
    cr_assert_eq(message->kind, BULKHEAD__ENGINE_TO_API__BODY_WAIT_STARTED);
    return call;
}

int32_t waited(struct bh_call *call)
{
    struct bh_error error = {0};
    bh_automessage struct bh_message *message = NULL;
    cr_assert_eq(bh_call_next(call, &message, &error), 0, "%s", error.message);
    cr_assert_eq(message->kind, BULKHEAD__ENGINE_TO_API__BODY_WAITED);
    int32_t exit_code = ((const Bulkhead__Waited *)bh_message_body(message))->exit_code;
    bh_call_free(call);
    return exit_code;
}
