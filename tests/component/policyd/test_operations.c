/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests about containers that are there: whose they are, and an executor that answers wrongly, not at all, or is
 * gone.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "door.h"

Test(policyd_operations, a_tenant_cannot_touch_anothers_container, .timeout = 30)
{
    struct door door = {0};
    door_open(&door);
    struct bh_error error = {0};
    struct door_spec spec;
    door_spec(&spec, 1, 1000);
    cr_assert_eq(door_start(&door, &spec, &error), 0, "%s", error.message);
    cr_assert_eq(door_signal(&door, 1, 1000, &error), 0, "%s", error.message);
    unsigned int asked = door.n_asked;
    cr_assert_eq(door_signal(&door, 1, 1001, &error), -1);
    cr_assert_eq(error.code, BH_PERMISSION_DENIED);
    spec.spec.tenant_uid = 1001; /* nor start it as its own */
    cr_assert_eq(door_start(&door, &spec, &error), -1);
    cr_assert_eq(error.code, BH_PERMISSION_DENIED);
    cr_assert_eq(door_signal(&door, 1, 0, &error), -1, "the root tenant neither, by this door");
    cr_assert_eq(door.n_asked, asked, "the executor heard nothing of it");
    door_close(&door);
}

Test(policyd_operations, learns_from_the_executor_whose_containers_there_are, .timeout = 30)
{
    struct door door = {.listed_tenant = 1000, .listed_running = true};
    memset(door.listed_id, 7, 32);
    door_open(&door);
    struct bh_error error = {0};
    /* The listing was asked for at the start; this answer shows that it has been taken. */
    while (door_signal(&door, 7, 1001, &error) == 0) {
    }
    cr_assert_eq(error.code, BH_PERMISSION_DENIED);
    cr_assert_eq(door_signal(&door, 7, 1000, &error), 0, "%s", error.message);
    door_close(&door);
}

Test(policyd_operations, passes_descriptors_both_ways, .timeout = 30)
{
    struct door door = {0};
    door_open(&door);
    struct door_spec spec;
    door_spec(&spec, 1, 1000);
    Bulkhead__StartContainer start = BULKHEAD__START_CONTAINER__INIT;
    start.spec = &spec.spec;
    start.attachments = 1;
    Bulkhead__EngineToPolicyd packet = BULKHEAD__ENGINE_TO_POLICYD__INIT;
    packet.body_case = BULKHEAD__ENGINE_TO_POLICYD__BODY_START_CONTAINER;
    packet.start_container = &start;
    bh_autoclose int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    const int fds[3] = {null, null, null};
    bh_automessage struct bh_message *answer = NULL;
    struct bh_error error = {0};
    cr_assert_eq(bh_call(door.engine, &packet.base, fds, 2, 5000, BULKHEAD__POLICYD_TO_ENGINE__BODY_CONTAINER_STARTED,
                         &answer, &error),
                 -1);
    cr_assert_eq(error.code, BH_INVALID_ARGUMENT, "two descriptors for one attachment");
    cr_assert_eq(bh_call(door.engine, &packet.base, fds, 3, 5000, BULKHEAD__POLICYD_TO_ENGINE__BODY_CONTAINER_STARTED,
                         &answer, &error),
                 0, "%s", error.message);
    cr_assert_eq(door.n_last_fds, 3);
    cr_assert_eq(answer->n_fds, 1);
    cr_assert_eq(((const Bulkhead__ContainerStarted *)bh_message_body(answer))->pid, 4242);
    door_close(&door);
}

Test(policyd_operations, an_answer_that_does_not_fit_is_thrown_away, .timeout = 30)
{
    struct door door = {0};
    door_open(&door);
    struct bh_error error = {0};
    struct door_spec spec;
    door_spec(&spec, 1, 1000);
    door.behaviour = DOOR_WRONG_KIND;
    cr_assert_eq(door_start(&door, &spec, &error), -1);
    cr_assert_eq(error.code, BH_INTERNAL);
    door.behaviour = DOOR_NO_FDS;
    cr_assert_eq(door_start(&door, &spec, &error), -1);
    cr_assert_eq(error.code, BH_INTERNAL);
    door.behaviour = DOOR_ERROR;
    cr_assert_eq(door_start(&door, &spec, &error), -1);
    cr_assert_eq(error.code, BH_NOT_FOUND);
    cr_assert(strstr(error.message, "the executor's own words"));
    door.behaviour = DOOR_HONEST;
    cr_assert_eq(door_start(&door, &spec, &error), 0, "%s", error.message);
    door_close(&door);
}

Test(policyd_operations, without_an_executor_requests_fail_at_once, .timeout = 30)
{
    struct door door = {0};
    door_open(&door);
    struct bh_error error = {0};
    cr_assert_eq(door_signal(&door, 1, 1000, &error), 0, "%s", error.message);
    cr_assert_eq(shutdown(door.harness.peers[BH_ROLE_EXECUTOR], SHUT_RDWR), 0);
    cr_assert_eq(door_signal(&door, 1, 1000, &error), -1);
    cr_assert_eq(error.code, BH_UNAVAILABLE, "%s", error.message);
    door_close(&door);
}
