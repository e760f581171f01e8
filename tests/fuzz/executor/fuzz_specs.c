/* SPDX-License-Identifier: Apache-2.0
 *
 * Any message as what is asked of the one door and of the executor behind it: checked and judged by policyd, filled in,
 * and decoded and planned by the executor, which does not rely on that. The first byte chooses the message. What is to
 * be done lies at clean absolute paths, whoever asks.
 */
#include <stdlib.h>

#include "judge.h"
#include "plan.h"
#include "spec.h"
#include "spec_check.h"
#include "text.h"

#include "common/cleanup.h"
#include "container_seccomp.h"
#include "fuzz.h"

#define CGROUP_PARENT "bulkhead"

/* ---- the executor ------------------------------------------------------------------------------------------ */

static void must_be_clean(const struct plan *plan)
{
    for (size_t i = 0; i < plan->n_operations; i++) {
        const struct operation *operation = &plan->operations[i];
        if (operation->kind != OPERATION_SYSCTL && *operation->target && !text_is_path(operation->target)) {
            fuzz_wrong();
        }
    }
}

static void plan_all(const struct container_spec *spec)
{
    struct bh_error error = {0};
    __attribute__((cleanup(plan_cleanup))) struct plan *plan = NULL;
    __attribute__((cleanup(plan_cleanup))) struct plan *copy = NULL;
    if (plan_make(spec, &plan, &error) < 0 || plan_make_copy(spec, &copy, &error) < 0) {
        fuzz_wrong();
    }
    must_be_clean(plan);
    must_be_clean(copy);
}

static void compile_profile(const struct container_spec *spec)
{
    struct seccomp_program program = {0};
    struct bh_error error = {0};
    if (spec->profile && seccomp_compile_profile(spec->profile, spec->capabilities, &program, &error) == 0) {
        seccomp_program_free(&program);
    }
}

static void execute(const Bulkhead__ContainerSpec *message)
{
    struct container_spec *spec = NULL;
    struct bh_error error = {0};
    if (spec_decode(message, CGROUP_PARENT, &spec, &error) < 0) {
        if (error.code == BH_OK) {
            fuzz_wrong();
        }
        return;
    }
    plan_all(spec);
    if (message->process) {
        (void)spec_decode_joining(message->process, spec, &error);
    }
    compile_profile(spec);
    spec_free(spec);
}

/* ---- the door ---------------------------------------------------------------------------------------------- */

static void ask(const Bulkhead__ContainerSpec *message)
{
    static const struct fill_in fill_in = {.id_base = 0x6f000000,
                                           .monitor_uid = 0x6fee2000,
                                           .cgroup_parent = CGROUP_PARENT,
                                           .selinux_label = "",
                                           .selinux_mount_label = "",
                                           .apparmor_profile = ""};
    struct bh_error error = {0};
    static struct rules strictest; /* nothing is allowed */
    struct judgement judgement;
    struct filled_spec filled = {0};
    if (spec_check(message, &error) < 0) {
        if (error.code == BH_OK) {
            fuzz_wrong();
        }
        return;
    }
    judge_container(message, rules_builtin(false), &(struct known_count){0}, &judgement);
    judge_container(message, rules_builtin(true), &(struct known_count){0}, &judgement);
    judge_container(message, &strictest, &(struct known_count){0}, &judgement);
    if (judge_fill(message, rules_builtin(message->tenant_uid == 0), &fill_in, &filled, &error) == 0) {
        execute(&filled.spec);
    }
    filled_spec_free(&filled);
}

/* ---- messages ---------------------------------------------------------------------------------------------- */

static void take_spec(const uint8_t *bytes, size_t n_bytes)
{
    Bulkhead__ContainerSpec *message = bulkhead__container_spec__unpack(NULL, n_bytes, bytes);
    if (message) {
        ask(message);
        execute(message);
        bulkhead__container_spec__free_unpacked(message, NULL);
    }
}

static void take_process(const uint8_t *bytes, size_t n_bytes)
{
    struct bh_error error = {0};
    Bulkhead__Process *message = bulkhead__process__unpack(NULL, n_bytes, bytes);
    if (message) {
        (void)spec_check_process(message, &error);
        bulkhead__process__free_unpacked(message, NULL);
    }
}

static void take_resources(const uint8_t *bytes, size_t n_bytes)
{
    struct bh_error error = {0};
    struct judgement judgement;
    struct spec_resources resources;
    Bulkhead__Resources *message = bulkhead__resources__unpack(NULL, n_bytes, bytes);
    if (message) {
        if (spec_check_resources(message, &error) == 0) {
            judge_resources(message, rules_builtin(false), &judgement);
        }
        (void)spec_decode_resources(message, &resources, &error);
        bulkhead__resources__free_unpacked(message, NULL);
    }
}

static void take_volume(const uint8_t *bytes, size_t n_bytes)
{
    struct judgement judgement;
    Bulkhead__MakeVolume *message = bulkhead__make_volume__unpack(NULL, n_bytes, bytes);
    if (message) {
        judge_volume(message, rules_builtin(false), &judgement);
        judge_volume(message, rules_builtin(true), &judgement);
        bulkhead__make_volume__free_unpacked(message, NULL);
    }
}

static void take_exec(const uint8_t *bytes, size_t n_bytes)
{
    struct judgement judgement;
    Bulkhead__ExecSpec *message = bulkhead__exec_spec__unpack(NULL, n_bytes, bytes);
    if (message) {
        judge_exec(message, rules_builtin(false), &judgement);
        judge_exec(message, rules_builtin(true), &judgement);
        bulkhead__exec_spec__free_unpacked(message, NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes)
{
    static void (*const takers[])(const uint8_t *, size_t) = {take_spec, take_process, take_resources, take_volume,
                                                              take_exec};
    if (n_bytes > 0) {
        takers[bytes[0] % (sizeof(takers) / sizeof(takers[0]))](bytes + 1, n_bytes - 1);
    }
    return 0;
}
