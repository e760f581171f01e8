/* SPDX-License-Identifier: Apache-2.0
 *
 * Promise 5 on the engine's side: killed at any moment, it loses nothing it acknowledged, and finds out what happened
 * meanwhile.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "world.h"

#define STATUS(name)    BULKHEAD__CONTAINER_STATUS__CONTAINER_STATUS_##name
#define CONDITION(name) BULKHEAD__WAIT_CONDITION__WAIT_CONDITION_##name

static struct world world;

static void begin(void)
{
    world_start(&world);
    pull(world.root, "busybox:latest");
}

static void end(void)
{
    world_stop(&world);
}

TestSuite(adoption, .init = begin, .fini = end, .timeout = 60);

Test(adoption, of_a_running_container)
{
    struct bh_error error;
    char id[BH_DIGEST_HEX_SIZE];
    Bulkhead__ContainerStatus status;
    int32_t exit_code;
    cr_assert_eq(create(world.root, "web", false, id, &error), BH_OK);
    cr_assert_eq(start(world.root, "web", &error), BH_OK);
    world_restart(&world);
    cr_assert_eq(look_up(world.root, "web", &status, &exit_code, &error), BH_OK, "%s", error.message);
    cr_assert_eq(status, STATUS(RUNNING));
    struct bh_call *wait = begin_wait(world.root, "web", CONDITION(NOT_RUNNING));
    fake_policyd_exit_all(world.policyd, 5);
    cr_assert_eq(waited(wait), 5, "the new engine watches it");
}

Test(adoption, records_an_exit_that_nobody_saw)
{
    struct bh_error error;
    char id[BH_DIGEST_HEX_SIZE], brief[BH_DIGEST_HEX_SIZE];
    Bulkhead__ContainerStatus status;
    int32_t exit_code;
    cr_assert_eq(create(world.root, "web", false, id, &error), BH_OK);
    cr_assert_eq(create(world.root, "brief", true, brief, &error), BH_OK);
    cr_assert_eq(start(world.root, "web", &error), BH_OK);
    cr_assert_eq(start(world.root, "brief", &error), BH_OK);
    cr_assert_eq(kill(world.harness.pid, SIGSTOP), 0); /* nothing reaches it any more */
    fake_policyd_exit_all(world.policyd, 9);
    world_restart(&world);
    cr_assert_eq(look_up(world.root, "web", &status, &exit_code, &error), BH_OK);
    cr_assert_eq(status, STATUS(EXITED));
    cr_assert_eq(exit_code, 9);
    cr_assert_eq(look_up(world.root, "brief", &status, &exit_code, &error), BH_NOT_FOUND, "--rm is kept, too");
}

Test(adoption, of_a_container_whose_monitor_died)
{
    struct bh_error error;
    char id[BH_DIGEST_HEX_SIZE];
    Bulkhead__ContainerStatus status;
    int32_t exit_code;
    cr_assert_eq(create(world.root, "web", false, id, &error), BH_OK);
    cr_assert_eq(start(world.root, "web", &error), BH_OK);
    fake_policyd_kill_monitors(world.policyd, true, 42);
    await_status(world.root, "web", STATUS(EXITED));
    cr_assert_eq(look_up(world.root, "web", &status, &exit_code, &error), BH_OK);
    cr_assert_eq(exit_code, 42, "the record on disk counts");
}

Test(adoption, of_a_start_whose_answer_was_lost)
{
    struct bh_error error;
    char id[BH_DIGEST_HEX_SIZE];
    cr_assert_eq(create(world.root, "web", false, id, &error), BH_OK);
    fake_policyd_lose_next_start(world.policyd);
    cr_assert_eq(start(world.root, "web", &error), BH_OK, "it runs, so it was started: %s", error.message);
    struct bh_call *wait = begin_wait(world.root, "web", CONDITION(NEXT_EXIT));
    fake_policyd_exit_all(world.policyd, 1);
    cr_assert_eq(waited(wait), 1);
}

Test(adoption, after_policyd_was_restarted)
{
    struct bh_error error;
    char id[BH_DIGEST_HEX_SIZE];
    cr_assert_eq(create(world.root, "web", false, id, &error), BH_OK);
    world_rewire_policyd(&world);
    cr_assert_eq(start(world.root, "web", &error), BH_OK, "%s", error.message);
    cr_assert_eq(kill_one(world.root, "web", "KILL", &error), BH_OK, "%s", error.message);
}

Test(adoption, keeps_everything_that_was_acknowledged)
{
    struct bh_error error;
    char id[BH_DIGEST_HEX_SIZE], name[32];
    Bulkhead__ContainerStatus status;
    int32_t exit_code;
    for (int round = 0; round < 5; round++) {
        (void)snprintf(name, sizeof name, "round%d", round);
        cr_assert_eq(create(world.root, name, false, id, &error), BH_OK, "%s", error.message);
        world_restart(&world);
    }
    for (int round = 0; round < 5; round++) {
        (void)snprintf(name, sizeof name, "round%d", round);
        cr_assert_eq(look_up(world.root, name, &status, &exit_code, &error), BH_OK, "%s", error.message);
        cr_assert_eq(status, STATUS(CREATED));
    }
}

Test(adoption, removes_content_that_nobody_knows)
{
    static const char stray[] = "left over from a pull that died";
    fake_store_add(world.content, stray);
    world_restart(&world);
    for (int waited_ms = 0; waited_ms < 10000 && fake_store_has(world.content, stray, false); waited_ms += 5) {
        (void)poll(NULL, 0, 5);
    }
    cr_assert_not(fake_store_has(world.content, stray, false));
    cr_assert(fake_store_has(world.content, "the bytes of layer one", true));
}

Test(adoption, answers_the_root_tenant_alone_about_the_whole_engine)
{
    struct bh_error error;
    Bulkhead__CheckAudit audit = BULKHEAD__CHECK_AUDIT__INIT;
    Bulkhead__GetPrivileges privileges = BULKHEAD__GET_PRIVILEGES__INIT;
    Bulkhead__GetInfo info = BULKHEAD__GET_INFO__INIT;
    API(audit_packet, CHECK_AUDIT, check_audit, &audit);
    API(privileges_packet, GET_PRIVILEGES, get_privileges, &privileges);
    API(info_packet, GET_INFO, get_info, &info);
    cr_assert_null(ask(world.other, &audit_packet, NULL, 0, BULKHEAD__ENGINE_TO_API__BODY_AUDIT_CHECKED, &error));
    cr_assert_eq(error.code, BH_PERMISSION_DENIED);
    cr_assert_null(ask(world.other, &privileges_packet, NULL, 0, BULKHEAD__ENGINE_TO_API__BODY_DONE, &error));
    cr_assert_eq(error.code, BH_PERMISSION_DENIED);
    char id[2][64];
    for (int round = 0; round < 2; round++) {
        bh_automessage struct bh_message *message =
            ask(world.root, &info_packet, NULL, 0, BULKHEAD__ENGINE_TO_API__BODY_INFO, &error);
        cr_assert_not_null(message, "%s", error.message);
        const Bulkhead__Info *answer = bh_message_body(message);
        (void)snprintf(id[round], sizeof id[round], "%s", answer->id);
        cr_assert_eq(answer->images, 1);
        if (round == 0) {
            world_restart(&world);
        }
    }
    cr_assert_str_eq(id[0], id[1], "its id is for ever");
}
