/* SPDX-License-Identifier: Apache-2.0
 *
 * What a log driver is told of its container: tags, labels and variables.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "common/fields.h"
#include "services/engine/log_options.h"

static Bulkhead__ContainerSpec *spec_with_tag(const char *tag)
{
    struct bh_error error;
    Bulkhead__ContainerSpec *spec = malloc(sizeof *spec);
    bulkhead__container_spec__init(spec);
    spec->log = malloc(sizeof *spec->log);
    bulkhead__log_options__init(spec->log);
    uint8_t id[32];
    memset(id, 0xab, sizeof id);
    cr_assert_eq(bytes_set(&spec->id, id, sizeof id, &error), 0);
    memset(id, 0x12, sizeof id);
    cr_assert_eq(bytes_set(&spec->image_digest, id, sizeof id, &error), 0);
    cr_assert_eq(string_set(&spec->image_reference, "docker.io/library/busybox:latest", &error), 0);
    cr_assert_eq(string_set(&spec->log->tag, tag, &error), 0);
    return spec;
}

Test(log_options, tags)
{
    static const struct {
        const char *tag, *meant; /* NULL: refused */
    } cases[] = {
        {"", ""},
        {"plain", "plain"},
        {"{{.Name}}/{{ .ID }}", "web/abababababab"},
        {"{{.ImageName}}", "docker.io/library/busybox:latest"},
        {"{{.ImageID}}-", "121212121212-"},
        {"{{.DaemonName}}", "bulkhead"},
        {"{{.Foo}}", NULL},
        {"{{.Name", NULL},
        {"{{}}", NULL},
        {"{ {.Name}", "{ {.Name}"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct bh_error error = {0};
        Bulkhead__ContainerSpec *spec = spec_with_tag(cases[i].tag);
        int result = log_options_name(spec, "web", &error);
        cr_expect_eq(result, cases[i].meant ? 0 : -1, "%s", cases[i].tag);
        cr_expect_eq(log_options_check_tag(cases[i].tag, &error), result, "%s", cases[i].tag);
        if (cases[i].meant) {
            cr_expect_str_eq(spec->log->tag, cases[i].meant);
            cr_expect_str_eq(spec->log->container_name, "web");
        }
        bulkhead__container_spec__free_unpacked(spec, NULL);
    }
}

Test(log_options, labels_and_variables_by_name_and_by_pattern)
{
    struct bh_error error = {0};
    Bulkhead__ImageConfig image = BULKHEAD__IMAGE_CONFIG__INIT;
    Bulkhead__ContainerRequest request = BULKHEAD__CONTAINER_REQUEST__INIT;
    Bulkhead__KeyValue labels[3] = {BULKHEAD__KEY_VALUE__INIT, BULKHEAD__KEY_VALUE__INIT, BULKHEAD__KEY_VALUE__INIT};
    Bulkhead__KeyValue *label_list[3];
    static const char *const names[] = {"team", "com.example.a", "other"};
    for (size_t i = 0; i < 3; i++) {
        labels[i].key = (char *)(uintptr_t)names[i];
        labels[i].value = (char *)(uintptr_t) "v";
        label_list[i] = &labels[i];
    }
    char *wanted[] = {(char *)(uintptr_t) "STAGE"};
    char *env[] = {(char *)(uintptr_t) "STAGE=x", (char *)(uintptr_t) "APP_A=1=2", (char *)(uintptr_t) "PATH=/bin",
                   (char *)(uintptr_t) "bare"};
    Bulkhead__Process process = BULKHEAD__PROCESS__INIT;
    Bulkhead__ContainerSpec spec = BULKHEAD__CONTAINER_SPEC__INIT;
    process.env = env;
    process.n_env = 4;
    spec.process = &process;
    request.labels = label_list;
    request.n_labels = 3;
    request.log_labels_pattern = (char *)(uintptr_t) "^(team|com\\.example)";
    request.log_env = wanted;
    request.n_log_env = 1;
    request.log_env_pattern = (char *)(uintptr_t) "^APP_|^STA";
    cr_assert_eq(log_options_merge(&image, &request, &spec, &error), 0, "%s", error.message);
    static const char *const meant[][2] = {{"team", "v"}, {"com.example.a", "v"}, {"STAGE", "x"}, {"APP_A", "1=2"}};
    cr_assert_eq(spec.log->n_attributes, 4);
    for (size_t i = 0; i < 4; i++) {
        cr_expect_str_eq(spec.log->attributes[i]->key, meant[i][0]);
        cr_expect_str_eq(spec.log->attributes[i]->value, meant[i][1]);
    }
    bulkhead__log_options__free_unpacked(spec.log, NULL);
    request.log_env_pattern = (char *)(uintptr_t) "(";
    cr_assert_eq(log_options_merge(&image, &request, &spec, &error), -1);
    cr_assert_eq(error.code, BH_INVALID_ARGUMENT);
    bulkhead__log_options__free_unpacked(spec.log, NULL);
}

Test(log_options, a_tag_of_any_length_is_cut)
{
    struct bh_error error = {0};
    char tag[2000] = "";
    for (int i = 0; i < 40; i++) {
        strcat(tag, "{{.FullID}}");
    }
    Bulkhead__ContainerSpec *spec = spec_with_tag(tag);
    cr_assert_eq(log_options_name(spec, "web", &error), 0);
    cr_assert_eq(strlen(spec->log->tag), 255);
    bulkhead__container_spec__free_unpacked(spec, NULL);
}
