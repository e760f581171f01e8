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
