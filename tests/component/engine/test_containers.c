/* SPDX-License-Identifier: Apache-2.0
 *
 * Containers through the real engine: the states they go through, what is refused, and what races decide.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

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

TestSuite(containers, .init = begin, .fini = end, .timeout = 60);

Test(containers, run_and_end_with_an_exit_code)
{
    struct bh_error error;
    char id[BH_DIGEST_HEX_SIZE];
    Bulkhead__ContainerStatus status;
    int32_t exit_code;
    cr_assert_eq(create(world.root, "web", false, id, &error), BH_OK, "%s", error.message);
    cr_assert_eq(look_up(world.root, "web", &status, &exit_code, &error), BH_OK);
    cr_assert_eq(status, STATUS(CREATED));
    struct bh_call *next = begin_wait(world.root, id, CONDITION(NEXT_EXIT));
    cr_assert_eq(start(world.root, "/web", &error), BH_OK, "%s", error.message);
    cr_assert_eq(look_up(world.root, id, &status, &exit_code, &error), BH_OK);
    cr_assert_eq(status, STATUS(RUNNING));
    fake_policyd_exit_all(world.policyd, 7);
    cr_assert_eq(waited(next), 7);
    await_status(world.root, id, STATUS(EXITED));
    cr_assert_eq(look_up(world.root, id, &status, &exit_code, &error), BH_OK);
    cr_assert_eq(exit_code, 7);
    cr_assert_eq(waited(begin_wait(world.root, id, CONDITION(NOT_RUNNING))), 7);
    cr_assert_eq(start(world.root, "web", &error), BH_OK, "an ended container starts again: %s", error.message);
    cr_assert_eq(fake_policyd_starts(world.policyd), 2);
}

Test(containers, starting_what_runs_changes_nothing)
{
    struct bh_error error;
    char id[BH_DIGEST_HEX_SIZE];
    Bulkhead__RunContainer body = BULKHEAD__RUN_CONTAINER__INIT;
    cr_assert_eq(create(world.root, "one", false, id, &error), BH_OK);
    cr_assert_eq(start(world.root, "one", &error), BH_OK);
    body.reference = id;
    API(packet, RUN_CONTAINER, run_container, &body);
    bh_automessage struct bh_message *unchanged =
        ask(world.root, &packet, NULL, 0, BULKHEAD__ENGINE_TO_API__BODY_UNCHANGED, &error);
    cr_assert_not_null(unchanged);
    cr_assert_eq(fake_policyd_starts(world.policyd), 1);
}

Test(containers, of_two_creates_of_one_name_one_wins)
{
    enum { CREATES = 8 };
    struct bh_call *calls[CREATES];
    static char image[] = "busybox", name[] = "same";
    Bulkhead__CreateContainer body = BULKHEAD__CREATE_CONTAINER__INIT;
    Bulkhead__ContainerRequest request = BULKHEAD__CONTAINER_REQUEST__INIT;
    size_t won = 0, lost = 0;
    request.image = image;
    request.network = BULKHEAD__NETWORK_MODE__NETWORK_MODE_NONE;
    request.network_mode = (char *)(uintptr_t) "none";
    request.seccomp = BULKHEAD__SECCOMP_MODE__SECCOMP_MODE_DEFAULT;
    body.name = name;
    body.request = &request;
    API(packet, CREATE_CONTAINER, create_container, &body);
    for (size_t i = 0; i < CREATES; i++) {
        struct bh_error error = {0};
        cr_assert_eq(bh_call_start(world.root, &packet.base, NULL, 0, 0, &calls[i], &error), 0);
    }
    for (size_t i = 0; i < CREATES; i++) {
        struct bh_error error = {0};
        bh_automessage struct bh_message *message = NULL;
        if (bh_call_next(calls[i], &message, &error) == 0) {
            won++;
        } else {
            lost++;
            cr_assert_eq(error.code, BH_ALREADY_EXISTS, "%s", error.message);
            cr_assert(strstr(error.message, "Conflict. The container name \"/same\" is already in use by container \""),
                      "%s", error.message);
        }
        bh_call_free(calls[i]);
    }
    cr_assert_eq(won, 1);
    cr_assert_eq(lost, CREATES - 1);
}

Test(containers, of_another_tenant_are_not_found)
{
    struct bh_error error;
    char id[BH_DIGEST_HEX_SIZE], other_id[BH_DIGEST_HEX_SIZE];
    Bulkhead__ContainerStatus status;
    int32_t exit_code;
    cr_assert_eq(create(world.root, "mine", false, id, &error), BH_OK);
    cr_assert_eq(create(world.other, "xy", false, other_id, &error), BH_NOT_FOUND, "the image is the root tenant's: %s",
                 error.message);
    cr_assert(strstr(error.message, "No such image: busybox:latest"), "%s", error.message);
    cr_assert_eq(look_up(world.other, id, &status, &exit_code, &error), BH_NOT_FOUND);
    cr_assert(strstr(error.message, "No such container: "), "%s", error.message);
    cr_assert_eq(look_up(world.other, "mine", &status, &exit_code, &error), BH_NOT_FOUND);
    cr_assert_eq(start(world.other, id, &error), BH_NOT_FOUND);
    cr_assert_eq(kill_one(world.other, id, "KILL", &error), BH_NOT_FOUND);
    cr_assert_eq(delete_one(world.other, id, true, &error), BH_NOT_FOUND);
    pull(world.other, "busybox:latest");
    cr_assert_eq(create(world.other, "mine", false, other_id, &error), BH_OK, "names are per tenant: %s",
                 error.message);
    cr_assert_eq(look_up(world.root, id, &status, &exit_code, &error), BH_OK);
}

Test(containers, that_policy_refuses_leave_no_trace)
{
    struct bh_error error;
    char id[BH_DIGEST_HEX_SIZE];
    fake_policyd_refuse_judge(world.policyd, BH_PERMISSION_DENIED, "privileged is not allowed (rule in default.json)");
    cr_assert_eq(create(world.root, "web", false, id, &error), BH_PERMISSION_DENIED);
    cr_assert(strstr(error.message, "default.json"), "%s", error.message);
    fake_policyd_refuse_judge(world.policyd, BH_OK, "");
    cr_assert_eq(create(world.root, "web", false, id, &error), BH_OK, "the name is free: %s", error.message);
}

Test(containers, that_do_not_start_say_why)
{
    struct bh_error error;
    char id[BH_DIGEST_HEX_SIZE];
    Bulkhead__ContainerStatus status;
    int32_t exit_code;
    cr_assert_eq(create(world.root, "web", false, id, &error), BH_OK);
    fake_policyd_refuse_start(world.policyd, BH_NOT_FOUND, "exec: \"nope\": executable file not found in $PATH");
    cr_assert_eq(start(world.root, "web", &error), BH_NOT_FOUND);
    cr_assert(strstr(error.message, "executable file not found"), "%s", error.message);
    cr_assert_eq(look_up(world.root, "web", &status, &exit_code, &error), BH_OK);
    cr_assert_eq(exit_code, 127);
    cr_assert_eq(status, STATUS(CREATED));
    fake_policyd_refuse_start(world.policyd, BH_OK, "");
    cr_assert_eq(start(world.root, "web", &error), BH_OK, "%s", error.message);
}

Test(containers, with_rm_are_gone_after_their_end)
{
    struct bh_error error;
    char id[BH_DIGEST_HEX_SIZE];
    Bulkhead__ContainerStatus status;
    int32_t exit_code;
    cr_assert_eq(create(world.root, "brief", true, id, &error), BH_OK);
    struct bh_call *removed = begin_wait(world.root, id, CONDITION(REMOVED));
    cr_assert_eq(start(world.root, "brief", &error), BH_OK);
    fake_policyd_exit_all(world.policyd, 3);
    cr_assert_eq(waited(removed), 3);
    cr_assert_eq(look_up(world.root, id, &status, &exit_code, &error), BH_NOT_FOUND);
    cr_assert_eq(fake_policyd_known(world.policyd), 0);
    cr_assert_eq(create(world.root, "brief", true, id, &error), BH_OK, "the name is free again");
    fake_policyd_refuse_start(world.policyd, BH_NOT_FOUND, "no such program");
    cr_assert_eq(start(world.root, "brief", &error), BH_NOT_FOUND);
    cr_assert_eq(look_up(world.root, "brief", &status, &exit_code, &error), BH_NOT_FOUND,
                 "one that did not start is removed too");
}

Test(containers, that_run_are_removed_only_by_force)
{
    struct bh_error error;
    char id[BH_DIGEST_HEX_SIZE];
    cr_assert_eq(create(world.root, "web", false, id, &error), BH_OK);
    cr_assert_eq(start(world.root, "web", &error), BH_OK);
    cr_assert_eq(delete_one(world.root, "web", false, &error), BH_FAILED_PRECONDITION);
    cr_assert(strstr(error.message, "container is running: stop the container before removing or force remove"), "%s",
              error.message);
    cr_assert_eq(delete_one(world.root, id, true, &error), BH_OK, "%s", error.message);
    cr_assert_eq(fake_policyd_known(world.policyd), 0);
    cr_assert_eq(delete_one(world.root, id, true, &error), BH_NOT_FOUND);
}

Test(containers, removed_by_force_while_they_start_are_gone)
{
    struct bh_error error = {0};
    char id[BH_DIGEST_HEX_SIZE];
    bh_autocall struct bh_call *starting = NULL, *deleting = NULL;
    bh_automessage struct bh_message *started = NULL, *deleted = NULL;
    Bulkhead__RunContainer run = BULKHEAD__RUN_CONTAINER__INIT;
    Bulkhead__DeleteContainer remove = BULKHEAD__DELETE_CONTAINER__INIT;
    Bulkhead__ContainerStatus status;
    int32_t exit_code;
    cr_assert_eq(create(world.root, "web", false, id, &error), BH_OK);
    run.reference = remove.reference = id;
    remove.force = true;
    API(run_packet, RUN_CONTAINER, run_container, &run);
    API(delete_packet, DELETE_CONTAINER, delete_container, &remove);
    fake_policyd_hold_starts(world.policyd, true);
    cr_assert_eq(bh_call_start(world.root, &run_packet.base, NULL, 0, 0, &starting, &error), 0);
    fake_policyd_await_starting(world.policyd);
    cr_assert_eq(bh_call_start(world.root, &delete_packet.base, NULL, 0, 0, &deleting, &error), 0);
    cr_assert_eq(look_up(world.root, id, &status, &exit_code, &error), BH_OK, "others are not held up meanwhile");
    fake_policyd_hold_starts(world.policyd, false);
    cr_assert_eq(bh_call_next(starting, &started, &error), 0, "%s", error.message);
    cr_assert_eq(bh_call_next(deleting, &deleted, &error), 0, "%s", error.message);
    cr_assert_eq(look_up(world.root, id, &status, &exit_code, &error), BH_NOT_FOUND);
    cr_assert_eq(fake_policyd_known(world.policyd), 0, "nothing runs on");
}

Test(containers, are_stopped_with_their_signal_and_then_killed)
{
    struct bh_error error;
    char id[BH_DIGEST_HEX_SIZE];
    Bulkhead__ContainerStatus status;
    int32_t exit_code;
    Bulkhead__StopContainer body = BULKHEAD__STOP_CONTAINER__INIT;
    cr_assert_eq(create(world.root, "web", false, id, &error), BH_OK);
    body.reference = id;
    API(packet, STOP_CONTAINER, stop_container, &body);
    bh_message_free(ask(world.root, &packet, NULL, 0, BULKHEAD__ENGINE_TO_API__BODY_UNCHANGED, &error));
    cr_assert_eq(error.code, BH_OK, "what does not run is unchanged: %s", error.message);
    cr_assert_eq(start(world.root, id, &error), BH_OK);
    bh_message_free(ask(world.root, &packet, NULL, 0, BULKHEAD__ENGINE_TO_API__BODY_DONE, &error));
    cr_assert_eq(look_up(world.root, id, &status, &exit_code, &error), BH_OK);
    cr_assert_eq(exit_code, 128 + 15);
    fake_policyd_ignore_term(world.policyd, true);
    cr_assert_eq(start(world.root, id, &error), BH_OK);
    body.timeout_s_presence_case = BULKHEAD__STOP_CONTAINER__TIMEOUT_S_PRESENCE_TIMEOUT_S;
    body.timeout_s = 1;
    bh_message_free(ask(world.root, &packet, NULL, 0, BULKHEAD__ENGINE_TO_API__BODY_DONE, &error));
    cr_assert_eq(look_up(world.root, id, &status, &exit_code, &error), BH_OK);
    cr_assert_eq(exit_code, 128 + 9);
    cr_assert_eq(kill_one(world.root, id, "KILL", &error), BH_FAILED_PRECONDITION);
    cr_assert(strstr(error.message, "is not running"), "%s", error.message);
    cr_assert_eq(kill_one(world.root, id, "SIGNONSENSE", &error), BH_INVALID_ARGUMENT);
}

Test(containers, pause_and_rename)
{
    struct bh_error error;
    char id[BH_DIGEST_HEX_SIZE], second[BH_DIGEST_HEX_SIZE];
    static char name[] = "fresh";
    Bulkhead__PauseContainer pause = BULKHEAD__PAUSE_CONTAINER__INIT;
    Bulkhead__RenameContainer rename = BULKHEAD__RENAME_CONTAINER__INIT;
    cr_assert_eq(create(world.root, "web", false, id, &error), BH_OK);
    cr_assert_eq(create(world.root, "db", false, second, &error), BH_OK);
    pause.reference = rename.reference = id;
    pause.paused = true;
    API(pause_packet, PAUSE_CONTAINER, pause_container, &pause);
    API(rename_packet, RENAME_CONTAINER, rename_container, &rename);
    cr_assert_null(ask(world.root, &pause_packet, NULL, 0, BULKHEAD__ENGINE_TO_API__BODY_DONE, &error));
    cr_assert_eq(error.code, BH_FAILED_PRECONDITION);
    cr_assert_eq(start(world.root, id, &error), BH_OK);
    bh_message_free(ask(world.root, &pause_packet, NULL, 0, BULKHEAD__ENGINE_TO_API__BODY_DONE, &error));
    await_status(world.root, id, STATUS(PAUSED));
    cr_assert_eq(start(world.root, id, &error), BH_FAILED_PRECONDITION);
    cr_assert(strstr(error.message, "cannot start a paused container"), "%s", error.message);
    rename.name = name;
    bh_message_free(ask(world.root, &rename_packet, NULL, 0, BULKHEAD__ENGINE_TO_API__BODY_DONE, &error));
    await_status(world.root, "fresh", STATUS(PAUSED));
    static char taken[] = "db";
    rename.name = taken;
    cr_assert_null(ask(world.root, &rename_packet, NULL, 0, BULKHEAD__ENGINE_TO_API__BODY_DONE, &error));
    cr_assert_eq(error.code, BH_ALREADY_EXISTS);
}

Test(containers, attached_before_their_start_get_their_streams)
{
    struct bh_error error;
    char id[BH_DIGEST_HEX_SIZE], byte;
    int pipes[3][2];
    Bulkhead__AttachContainer body = BULKHEAD__ATTACH_CONTAINER__INIT;
    cr_assert_eq(create(world.root, "web", false, id, &error), BH_OK);
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(pipe2(pipes[i], O_CLOEXEC), 0);
    }
    body.reference = id;
    API(packet, ATTACH_CONTAINER, attach_container, &body);
    const int fds[] = {pipes[0][0], pipes[1][1], pipes[2][1]};
    bh_message_free(ask(world.root, &packet, fds, 3, BULKHEAD__ENGINE_TO_API__BODY_ATTACHED, &error));
    cr_assert_eq(error.code, BH_OK, "%s", error.message);
    cr_assert_eq(fake_policyd_attached(world.policyd), 0);
    cr_assert_eq(start(world.root, id, &error), BH_OK);
    cr_assert_eq(fake_policyd_attached(world.policyd), 1, "sent along with the start");
    bh_message_free(ask(world.root, &packet, fds, 3, BULKHEAD__ENGINE_TO_API__BODY_ATTACHED, &error));
    cr_assert_eq(fake_policyd_attached(world.policyd), 2, "and to the monitor of one that runs");
    bh_close(&pipes[1][1]);
    cr_assert_eq(read(pipes[1][0], &byte, 1), 0, "the engine keeps no end open");
    for (int i = 0; i < 3; i++) {
        bh_close(&pipes[i][0]);
        bh_close(&pipes[i][1]);
    }
}

Test(containers, whose_start_fails_let_go_of_attached_clients)
{
    struct bh_error error;
    char id[BH_DIGEST_HEX_SIZE], byte;
    int pipes[3][2];
    Bulkhead__AttachContainer body = BULKHEAD__ATTACH_CONTAINER__INIT;
    cr_assert_eq(create(world.root, "web", false, id, &error), BH_OK);
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(pipe2(pipes[i], O_CLOEXEC), 0);
    }
    body.reference = id;
    API(packet, ATTACH_CONTAINER, attach_container, &body);
    const int fds[] = {pipes[0][0], pipes[1][1], pipes[2][1]};
    bh_message_free(ask(world.root, &packet, fds, 3, BULKHEAD__ENGINE_TO_API__BODY_ATTACHED, &error));
    bh_close(&pipes[1][1]);
    fake_policyd_refuse_start(world.policyd, BH_INTERNAL, "no");
    cr_assert_eq(start(world.root, id, &error), BH_INTERNAL);
    cr_assert_eq(read(pipes[1][0], &byte, 1), 0, "the client sees the end of the stream");
    for (int i = 0; i < 3; i++) {
        bh_close(&pipes[i][0]);
        bh_close(&pipes[i][1]);
    }
}

Test(containers, that_are_unknown_are_refused_in_dockers_words)
{
    struct bh_error error;
    cr_assert_eq(start(world.root, "nosuch", &error), BH_NOT_FOUND);
    cr_assert_str_eq(error.message, "No such container: nosuch");
    char id[BH_DIGEST_HEX_SIZE];
    cr_assert_eq(create(world.root, "-bad", false, id, &error), BH_INVALID_ARGUMENT);
    cr_assert(strstr(error.message, "Invalid container name (-bad)"), "%s", error.message);
}

Test(containers, get_a_name_if_the_client_gave_none)
{
    struct bh_error error;
    char id[BH_DIGEST_HEX_SIZE], prefix[13];
    Bulkhead__ContainerStatus status;
    int32_t exit_code;
    cr_assert_eq(create(world.root, "", false, id, &error), BH_OK, "%s", error.message);
    (void)snprintf(prefix, sizeof prefix, "%.12s", id);
    cr_assert_eq(look_up(world.root, prefix, &status, &exit_code, &error), BH_OK, "found by the prefix of its id");
}

Test(containers, are_listed_by_filters)
{
    struct bh_error error = {0};
    char id[BH_DIGEST_HEX_SIZE];
    static char key[] = "label", value[] = "from=image", other[] = "from=elsewhere";
    char *values[] = {value};
    Bulkhead__Filter filter = BULKHEAD__FILTER__INIT, *filters[] = {&filter};
    Bulkhead__ListContainersOf body = BULKHEAD__LIST_CONTAINERS_OF__INIT;
    cr_assert_eq(create(world.root, "web", false, id, &error), BH_OK);
    filter.key = key;
    filter.values = values;
    filter.n_values = 1;
    body.filters = filters;
    body.n_filters = 1;
    body.all = true;
    API(packet, LIST_CONTAINERS_OF, list_containers_of, &body);
    bh_automessage struct bh_message *one =
        ask(world.root, &packet, NULL, 0, BULKHEAD__ENGINE_TO_API__BODY_CONTAINER_SUMMARY, &error);
    cr_assert_not_null(one, "its image's label matches: %s", error.message);
    const Bulkhead__ContainerSummary *summary = bh_message_body(one);
    cr_assert_str_eq(summary->name, "web");
    cr_assert_str_eq(summary->image, "busybox");
    cr_assert_str_eq(summary->command[0], "sh");
    values[0] = other;
    bh_message_free(ask(world.root, &packet, NULL, 0, BULKHEAD__ENGINE_TO_API__BODY_DONE, &error));
    cr_assert_eq(error.code, BH_OK, "nothing but Done: %s", error.message);
    filter.key = value;
    cr_assert_null(ask(world.root, &packet, NULL, 0, BULKHEAD__ENGINE_TO_API__BODY_DONE, &error));
    cr_assert_eq(error.code, BH_INVALID_ARGUMENT, "an unknown filter");
}

Test(containers, whose_client_leaves_during_the_start_are_started_all_the_same)
{
    struct bh_error error = {0};
    char id[BH_DIGEST_HEX_SIZE];
    struct bh_call *starting = NULL;
    Bulkhead__RunContainer run = BULKHEAD__RUN_CONTAINER__INIT;
    cr_assert_eq(create(world.root, "web", false, id, &error), BH_OK);
    run.reference = id;
    API(packet, RUN_CONTAINER, run_container, &run);
    fake_policyd_hold_starts(world.policyd, true);
    cr_assert_eq(bh_call_start(world.root, &packet.base, NULL, 0, 0, &starting, &error), 0);
    fake_policyd_await_starting(world.policyd);
    bh_call_free(starting);
    fake_policyd_hold_starts(world.policyd, false);
    await_status(world.root, id, STATUS(RUNNING));
    fake_policyd_exit_all(world.policyd, 4);
    await_status(world.root, id, STATUS(EXITED));
}
