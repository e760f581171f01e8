/* SPDX-License-Identifier: Apache-2.0
 *
 * The documents that the engine writes, to the byte: an image's id is the digest of one.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "services/engine/config_json.h"
#include "services/engine/manifest_json.h"

#define TEXT(text) ((char *)(uintptr_t)(text))

static Bulkhead__ImageConfig config;
static struct bh_error error;

static void begin(void)
{
    bulkhead__image_config__init(&config);
    config.os = TEXT("linux");
    config.architecture = TEXT("amd64");
    error = (struct bh_error){0};
}
TestSuite(config_json, .init = begin);

static void writes(const char *expected)
{
    char *bytes = NULL;
    size_t n_bytes;
    cr_assert_eq(config_json_write(&config, &bytes, &n_bytes, &error), 0, "%s", error.message);
    cr_assert_eq(n_bytes, strlen(expected), "%.*s", (int)n_bytes, bytes);
    cr_assert_eq(memcmp(bytes, expected, n_bytes), 0, "%.*s", (int)n_bytes, bytes);
    free(bytes);
}

Test(config_json, the_least)
{
    writes(
        "{\"architecture\":\"amd64\",\"config\":{},\"os\":\"linux\",\"rootfs\":{\"diff_ids\":[],\"type\":\"layers\"}}");
}

Test(config_json, everything)
{
    static uint8_t diff[32] = {0xab};
    static ProtobufCBinaryData diff_ids[] = {{32, diff}};
    static char *ports[] = {TEXT("9/udp"), TEXT("80/tcp")}, *env[] = {TEXT("B=2"), TEXT("A=\"\n")};
    static char *cmd[] = {TEXT("sh")}, *entrypoint[] = {TEXT("/e"), TEXT("")}, *volumes[] = {TEXT("/v")};
    static char *on_build[] = {TEXT("RUN x")}, *shell[] = {TEXT("/bin/ash")}, *test[] = {TEXT("NONE")};
    Bulkhead__KeyValue z = BULKHEAD__KEY_VALUE__INIT, a = BULKHEAD__KEY_VALUE__INIT;
    Bulkhead__KeyValue *labels[] = {&z, &a};
    Bulkhead__History entry = BULKHEAD__HISTORY__INIT, *history[] = {&entry};
    Bulkhead__Healthcheck check = BULKHEAD__HEALTHCHECK__INIT;
    z.key = TEXT("z");
    z.value = TEXT("1");
    a.key = TEXT("a");
    a.value = TEXT("");
    entry.comment = TEXT("c");
    entry.created_by = TEXT("b");
    entry.created_ns = 1500000000;
    entry.empty_layer = true;
    check.test = test;
    check.n_test = 1;
    check.interval_ns = 5;
    config.variant = TEXT("v8");
    config.author = TEXT("me");
    config.comment = TEXT("it");
    config.created_ns = 1000000000;
    config.docker_version = TEXT("1");
    config.env = env;
    config.n_env = 2;
    config.cmd = cmd;
    config.n_cmd = 1;
    config.entrypoint = entrypoint;
    config.n_entrypoint = 2;
    config.exposed_ports = ports;
    config.n_exposed_ports = 2;
    config.volumes = volumes;
    config.n_volumes = 1;
    config.on_build = on_build;
    config.n_on_build = 1;
    config.shell = shell;
    config.n_shell = 1;
    config.labels = labels;
    config.n_labels = 2;
    config.history = history;
    config.n_history = 1;
    config.healthcheck = &check;
    config.diff_ids = diff_ids;
    config.n_diff_ids = 1;
    config.user = TEXT("u");
    config.working_dir = TEXT("/w");
    config.stop_signal = TEXT("SIGINT");
    writes(
        "{\"architecture\":\"amd64\",\"author\":\"me\",\"comment\":\"it\",\"config\":{\"Cmd\":[\"sh\"],"
        "\"Entrypoint\":[\"/e\",\"\"],\"Env\":[\"B=2\",\"A=\\\"\\n\"],\"ExposedPorts\":{\"80/tcp\":{},\"9/udp\":{}},"
        "\"Healthcheck\":{\"Interval\":5,\"Test\":[\"NONE\"]},\"Labels\":{\"a\":\"\",\"z\":\"1\"},"
        "\"OnBuild\":[\"RUN x\"],\"Shell\":[\"/bin/ash\"],\"StopSignal\":\"SIGINT\",\"User\":\"u\","
        "\"Volumes\":{\"/v\":{}},\"WorkingDir\":\"/w\"},\"created\":\"1970-01-01T00:00:01Z\",\"docker_version\":\"1\","
        "\"history\":[{\"comment\":\"c\",\"created\":\"1970-01-01T00:00:01.5Z\",\"created_by\":\"b\","
        "\"empty_layer\":true}],\"os\":\"linux\",\"rootfs\":{\"diff_ids\":[\"sha256:"
        "ab00000000000000000000000000000000000000000000000000000000000000\"],\"type\":\"layers\"},\"variant\":\"v8\"}");
}

Test(config_json, what_is_twice_is_refused)
{
    static char *volumes[] = {TEXT("/v"), TEXT("/w"), TEXT("/v")};
    char *bytes = NULL;
    size_t n_bytes;
    config.volumes = volumes;
    config.n_volumes = 3;
    cr_assert_eq(config_json_write(&config, &bytes, &n_bytes, &error), -1);
    cr_assert(strstr(error.message, "\"/v\" twice"), "%s", error.message);
}

Test(config_json, manifest)
{
    const struct manifest_blob document = {.digest = {{1}}, .size_bytes = 7};
    const struct manifest_blob layers[] = {
        {.digest = {{2}}, .size_bytes = 8, .compression = BULKHEAD__COMPRESSION__COMPRESSION_GZIP},
        {.digest = {{3}}, .size_bytes = 9, .compression = BULKHEAD__COMPRESSION__COMPRESSION_NONE}};
    char *bytes = NULL;
    size_t n_bytes;
    const char *expected =
        "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"config\":{\"mediaType\":"
        "\"application/vnd.oci.image.config.v1+json\",\"digest\":\"sha256:"
        "0100000000000000000000000000000000000000000000000000000000000000\",\"size\":7},\"layers\":[{\"mediaType\":"
        "\"application/vnd.oci.image.layer.v1.tar+gzip\",\"digest\":\"sha256:"
        "0200000000000000000000000000000000000000000000000000000000000000\",\"size\":8},{\"mediaType\":"
        "\"application/vnd.oci.image.layer.v1.tar\",\"digest\":\"sha256:"
        "0300000000000000000000000000000000000000000000000000000000000000\",\"size\":9}]}";
    cr_assert_eq(manifest_json_write(&document, layers, 2, &bytes, &n_bytes, &error), 0);
    cr_assert_eq(n_bytes, strlen(expected));
    cr_assert_eq(memcmp(bytes, expected, n_bytes), 0, "%.*s", (int)n_bytes, bytes);
    free(bytes);
}
