/* SPDX-License-Identifier: Apache-2.0
 *
 * Namespaces of another container: what is shared, and with whom it is not.
 */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "stage.h"

TestSuite(shared, .init = stage_open, .fini = stage_close, .timeout = 180);

static char output[65536], mine[4096];
static struct bh_error error;

static void start_donor(struct container *donor)
{
    container_init(donor, "echo here >/dev/shm/file; readlink /proc/self/ns/net /proc/self/ns/ipc /proc/self/ns/pid "
                          "/proc/self/ns/user | tr '\\n' ' '; echo; cat; exit 3");
    donor->process.open_stdin = donor->process.stdin_once = true;
    cr_assert_eq(container_start(donor), 0, "%s", donor->error.message);
    ssize_t n = 0;
    for (size_t used = 0; !strchr(mine, '\n') && (n = read(donor->output, mine + used, sizeof(mine) - 1 - used)) > 0;) {
        used += (size_t)n;
        mine[used] = '\0';
    }
}

static void end(struct container *donor)
{
    bh_close(&donor->standard_input);
    cr_expect_eq(container_wait(donor), 3);
    container_remove(donor);
}

static void join(struct container *guest, const struct container *donor, const char *script)
{
    container_init(guest, script);
    guest->spec.network = BULKHEAD__NETWORK_MODE__NETWORK_MODE_JOINED;
    guest->spec.join_network = guest->spec.join_ipc = guest->spec.join_pid = donor->spec.id;
}

Test(shared, everything)
{
    struct container donor, guest;
    start_donor(&donor);
    join(&guest, &donor,
         "readlink /proc/self/ns/net /proc/self/ns/ipc /proc/self/ns/pid /proc/self/ns/user | tr '\\n' ' '; "
         "echo; cat /dev/shm/file; kill -0 1 && echo there; id -u");
    cr_assert_eq(container_run(&guest, output, sizeof(output)), 0, "%s %s", guest.error.message, output);
    cr_expect_eq(strncmp(output, mine, strlen(mine)), 0, "%s, not %s", output, mine);
    cr_expect(strstr(output, "here\nthere\n0\n"), "%s", output);
    end(&donor);
}

Test(shared, confinement_is_its_own)
{
    struct container donor, guest;
    start_donor(&donor);
    join(&guest, &donor,
         "grep -E 'CapEff|NoNewPrivs|Seccomp:' /proc/self/status; mkdir /proc/sys/x 2>/dev/null || echo no");
    guest.spec.capabilities = 0;
    guest.spec.no_new_privileges = true;
    cr_assert_eq(container_run(&guest, output, sizeof(output)), 0, "%s", guest.error.message);
    cr_expect(strstr(output, "CapEff:\t0000000000000000"), "%s", output);
    cr_expect(strstr(output, "NoNewPrivs:\t1"), "%s", output);
    cr_expect(strstr(output, "Seccomp:\t2"), "%s", output);
    end(&donor);
}

Test(shared, not_with_another_tenants)
{
    struct container donor, guest;
    start_donor(&donor);
    join(&guest, &donor, "true");
    guest.spec.tenant_uid = 7;
    cr_expect_eq(container_run(&guest, output, sizeof(output)), -1);
    cr_expect_eq(guest.error.code, BH_PERMISSION_DENIED, "%s", guest.error.message);
    end(&donor);
}

Test(shared, not_with_one_that_has_ended)
{
    struct container donor, guest;
    start_donor(&donor);
    bh_close(&donor.standard_input);
    cr_expect_eq(container_wait(&donor), 3);
    join(&guest, &donor, "true");
    cr_expect_eq(container_run(&guest, output, sizeof(output)), -1);
    cr_expect_eq(guest.error.code, BH_FAILED_PRECONDITION, "%s", guest.error.message);
    container_remove(&donor);
}

Test(shared, what_is_the_hosts_is_asked_for_as_the_hosts)
{
    struct container donor, guest;
    container_init(&donor, "echo ready; cat; exit 3");
    donor.process.open_stdin = donor.process.stdin_once = true;
    donor.spec.network = BULKHEAD__NETWORK_MODE__NETWORK_MODE_HOST;
    cr_assert_eq(container_start(&donor), 0, "%s", donor.error.message);
    cr_assert_eq(read(donor.output, output, 6), 6);
    container_init(&guest, "true");
    guest.spec.network = BULKHEAD__NETWORK_MODE__NETWORK_MODE_JOINED;
    guest.spec.join_network = donor.spec.id;
    cr_expect_eq(container_run(&guest, output, sizeof(output)), -1);
    cr_expect(strstr(guest.error.message, "is the host's"), "%s", guest.error.message);
    end(&donor);
}

Test(shared, killing_takes_what_the_pid_namespace_would_keep)
{
    struct container donor, guest;
    start_donor(&donor);
    container_init(&guest, "sleep 1000 & echo ready; sleep 1000");
    guest.spec.join_pid = donor.spec.id;
    cr_assert_eq(container_start(&guest), 0, "%s", guest.error.message);
    cr_assert_eq(read(guest.output, output, 6), 6);
    cr_expect_eq(ask_signal(&guest, SIGKILL, &error), 0, "%s", error.message);
    cr_expect_eq(container_wait(&guest), 137);
    /* the other sleep held this pipe open */
    cr_expect_eq(read(guest.output, output, 1), 0);
    container_remove(&guest);
    end(&donor);
}
