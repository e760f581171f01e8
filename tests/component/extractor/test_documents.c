/* SPDX-License-Identifier: Apache-2.0
 *
 * Manifests, indexes and configurations: what honest ones become, and that what could be read in two ways is refused.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "job.h"

#define TYPE(name) BULKHEAD__MEDIA_TYPE__MEDIA_TYPE_##name
#define HEX        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define CONFIG                                                                                                         \
    "\"config\":{\"mediaType\":\"application/vnd.oci.image.config.v1+json\",\"digest\":\"sha256:" HEX "\",\"size\":7}"
#define LAYER(size)                                                                                                    \
    "{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar+gzip\",\"digest\":\"sha256:" HEX "\",\"size\":" size "}"
#define MANIFEST(layers) "{\"schemaVersion\":2," CONFIG ",\"layers\":[" layers "]}"

static struct extractor extractor;

static void start(void)
{
    extractor_start(&extractor);
}

static void stop(void)
{
    extractor_stop(&extractor);
}

TestSuite(extractor_documents, .init = start, .fini = stop, .timeout = 120);

static void refused(const char *text, Bulkhead__MediaType announced, const char *words)
{
    bh_automessage struct bh_message *message = NULL;
    cr_assert_eq(extractor_manifest(&extractor, text, announced, &message), BH_INVALID_ARGUMENT, "%.300s", text);
    cr_assert(extractor_said(&extractor, words), "%.300s", text);
}

Test(extractor_documents, a_manifest_becomes_a_message)
{
    bh_automessage struct bh_message *message = NULL;
    cr_assert_eq(
        extractor_manifest(&extractor, MANIFEST(LAYER("1") "," LAYER("34359738368")), TYPE(OCI_MANIFEST), &message),
        BH_OK, "%s", extractor.error.message);
    const Bulkhead__ParsedManifest *manifest = bh_message_body(message);
    cr_assert_eq(message->kind, BULKHEAD__EXTRACTOR_TO_ENGINE__BODY_MANIFEST);
    cr_assert(manifest->media_type == TYPE(OCI_MANIFEST) && manifest->n_layers == 2);
    cr_assert(manifest->config->media_type == TYPE(OCI_CONFIG) && manifest->config->size_bytes == 7);
    cr_assert(manifest->layers[1]->size_bytes == 34359738368 && manifest->layers[1]->digest.data[31] == 0xaa);
}

Test(extractor_documents, an_index_becomes_a_message)
{
    bh_automessage struct bh_message *message = NULL;
    static const char index[] =
        "{\"schemaVersion\":2,\"mediaType\":\"application/"
        "vnd.docker.distribution.manifest.list.v2+json\",\"manifests\":["
        "{\"mediaType\":\"application/vnd.docker.distribution.manifest.v2+json\",\"digest\":\"sha256:" HEX
        "\",\"size\":9,\"platform\":{\"os\":\"linux\",\"architecture\":\"arm64\",\"variant\":\"v8\"}},"
        "{\"mediaType\":\"application/vnd.example+json\",\"digest\":\"sha256:" HEX "\",\"size\":9}]}";
    cr_assert_eq(extractor_manifest(&extractor, index, TYPE(DOCKER_MANIFEST_LIST), &message), BH_OK, "%s",
                 extractor.error.message);
    const Bulkhead__ParsedIndex *parsed = bh_message_body(message);
    cr_assert_eq(message->kind, BULKHEAD__EXTRACTOR_TO_ENGINE__BODY_INDEX);
    cr_assert_eq(parsed->n_entries, 1, "types that nobody knows are left out");
    cr_assert_str_eq(parsed->entries[0]->platform->variant, "v8");
}

Test(extractor_documents, schema_one_is_refused_by_name)
{
    refused("{\"schemaVersion\":1,\"fsLayers\":[],\"history\":[]}", TYPE(UNSPECIFIED), "schema 1");
}

Test(extractor_documents, two_readings_are_refused)
{
    refused("{\"schemaVersion\":2," CONFIG ",\"layers\":[],\"manifests\":[]}", TYPE(UNSPECIFIED), "either");
    refused("{\"schemaVersion\":2,\"manifests\":[]," CONFIG "}", TYPE(UNSPECIFIED), "either");
    refused("{\"schemaVersion\":2}", TYPE(UNSPECIFIED), "neither");
    refused("{\"schemaVersion\":2,\"schemaVersion\":2," CONFIG ",\"layers\":[]}", TYPE(UNSPECIFIED), "duplicate");
    refused(MANIFEST(""), TYPE(OCI_INDEX), "form of");
    refused("{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.index.v1+json\"," CONFIG ",\"layers\":[]}",
            TYPE(UNSPECIFIED), "form of");
    refused("{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\"," CONFIG
            ",\"layers\":[]}",
            TYPE(DOCKER_MANIFEST), "announced");
}

Test(extractor_documents, sizes_are_present_and_possible)
{
    static const char *const sizes[] = {"-1",  "0",     "34359738369", "9223372036854775807",
                                        "1.5", "\"1\"", "true",        "null"};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        char text[1024];
        (void)snprintf(text, sizeof(text),
                       "{\"schemaVersion\":2," CONFIG ",\"layers\":[{\"mediaType\":"
                       "\"application/vnd.oci.image.layer.v1.tar\",\"digest\":\"sha256:" HEX "\",\"size\":%s}]}",
                       sizes[i]);
        refused(text, TYPE(UNSPECIFIED), "size");
    }
    refused(MANIFEST(LAYER("9223372036854775808")), TYPE(UNSPECIFIED), "integer");
    refused("{\"schemaVersion\":2," CONFIG ",\"layers\":[{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar\","
            "\"digest\":\"sha256:" HEX "\"}]}",
            TYPE(UNSPECIFIED), "size");
}

Test(extractor_documents, digests_are_sha256_in_lower_case)
{
    static const char *const digests[] = {"sha256:../../x",
                                          "sha256:"
                                          "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
                                          "sha256:aa",
                                          "sha512:" HEX HEX,
                                          "md5:" HEX,
                                          HEX,
                                          "",
                                          "sha256:" HEX "a"};
    for (size_t i = 0; i < sizeof(digests) / sizeof(digests[0]); i++) {
        char text[1024];
        (void)snprintf(text, sizeof(text),
                       "{\"schemaVersion\":2," CONFIG ",\"layers\":[{\"mediaType\":"
                       "\"application/vnd.oci.image.layer.v1.tar\",\"digest\":\"%s\",\"size\":1}]}",
                       digests[i]);
        refused(text, TYPE(UNSPECIFIED), "layer 0");
    }
}

Test(extractor_documents, foreign_layers_are_refused)
{
    refused("{\"schemaVersion\":2," CONFIG ",\"layers\":[{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar\","
            "\"digest\":\"sha256:" HEX "\",\"size\":1,\"urls\":[\"http://169.254.169.254/\"]}]}",
            TYPE(UNSPECIFIED), "urls");
    refused("{\"schemaVersion\":2," CONFIG
            ",\"layers\":[{\"mediaType\":\"application/vnd.docker.image.rootfs.foreign.diff."
            "tar.gzip\",\"digest\":\"sha256:" HEX "\",\"size\":1}]}",
            TYPE(UNSPECIFIED), "another host");
}

Test(extractor_documents, counts_and_depth_are_bounded)
{
    struct {
        char *text;
        size_t room;
    } big = {malloc(8 << 20), 8 << 20};
    size_t n = (size_t)snprintf(big.text, big.room, "{\"schemaVersion\":2," CONFIG ",\"layers\":[");
    for (int i = 0; i < 128; i++) {
        n += (size_t)snprintf(big.text + n, big.room - n, "%s" LAYER("1"), i ? "," : "");
    }
    (void)snprintf(big.text + n, big.room - n, "]}");
    refused(big.text, TYPE(UNSPECIFIED), "128 layers");
    memset(big.text, '[', 100000);
    big.text[100000] = '\0';
    refused(big.text, TYPE(UNSPECIFIED), "deep");
    memset(big.text, ' ', 5 << 20);
    big.text[5 << 20] = '\0';
    bh_automessage struct bh_message *message = NULL;
    cr_assert_eq(extractor_manifest(&extractor, big.text, TYPE(UNSPECIFIED), &message), BH_RESOURCE_EXHAUSTED);
    free(big.text);
}

Test(extractor_documents, what_is_no_json_is_refused)
{
    static const char *const texts[] = {
        "", "{", "[]", "null", "\xff\xfe", "{\"schemaVersion\":2} x", "{\"a\":\"\\u0000\"}"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        refused(texts[i], TYPE(UNSPECIFIED), "manifest");
    }
}

Test(extractor_documents, a_config_becomes_a_message)
{
    bh_automessage struct bh_message *message = NULL;
    static const char text[] =
        "{\"architecture\":\"amd64\",\"os\":\"linux\",\"created\":\"2014-12-11T10:09:08.123456789Z\",\"author\":\"a\","
        "\"config\":{\"User\":\"app\",\"Env\":[\"PATH=/bin\",\"X=\"],\"Entrypoint\":[\"/e\"],\"Cmd\":null,"
        "\"WorkingDir\":\"/w\",\"Labels\":{\"k\":\"v\"},\"ExposedPorts\":{\"80/tcp\":{}},\"Volumes\":{\"/data\":{}},"
        "\"StopSignal\":\"SIGINT\",\"Healthcheck\":{\"Test\":[\"CMD\",\"true\"],\"Interval\":5000000000,\"Retries\":3},"
        "\"ArgsEscaped\":true},\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"sha256:" HEX "\"]},"
        "\"history\":[{\"created\":\"0001-01-01T00:00:00Z\",\"created_by\":\"RUN x\",\"empty_layer\":true}],"
        "\"unknown\":{\"deep\":[1,2]}}";
    cr_assert_eq(extractor_config(&extractor, text, &message), BH_OK, "%s", extractor.error.message);
    const Bulkhead__ImageConfig *config = ((const Bulkhead__ParsedConfig *)bh_message_body(message))->config;
    cr_assert_eq(config->created_ns, 1418292548123456789);
    cr_assert(config->n_env == 2 && strcmp(config->env[1], "X=") == 0 && config->n_cmd == 0);
    cr_assert_str_eq(config->entrypoint[0], "/e");
    cr_assert_str_eq(config->labels[0]->value, "v");
    cr_assert_str_eq(config->exposed_ports[0], "80/tcp");
    cr_assert(config->healthcheck->interval_ns == 5000000000 && config->healthcheck->retries == 3);
    cr_assert(config->n_diff_ids == 1 && config->diff_ids[0].len == 32);
    cr_assert(config->n_history == 1 && config->history[0]->empty_layer && config->history[0]->created_ns == 0);
}

Test(extractor_documents, configs_of_the_wrong_shape_are_refused)
{
    static const char *const texts[] = {
        "[]",
        "{}",
        "{\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"sha256:x\"]}}",
        "{\"rootfs\":{\"type\":\"other\",\"diff_ids\":[]}}",
        "{\"config\":{\"Env\":[1]},\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]}}",
        "{\"config\":{\"Env\":{}},\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]}}",
        "{\"config\":[],\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]}}",
        "{\"created\":\"yesterday\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]}}",
        "{\"config\":{\"Labels\":{\"a\":1}},\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]}}",
        "{\"config\":{\"User\":\"a\",\"User\":\"b\"},\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]}}",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        bh_automessage struct bh_message *message = NULL;
        cr_assert_eq(extractor_config(&extractor, texts[i], &message), BH_INVALID_ARGUMENT, "%s", texts[i]);
        cr_assert(extractor_said(&extractor, "image config"));
    }
}

Test(extractor_documents, a_config_of_megabytes_travels_whole)
{
    char *text = malloc(8 << 20);
    size_t n = (size_t)sprintf(text, "{\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]},\"history\":[");
    for (int i = 0; i < 3000; i++) {
        n += (size_t)sprintf(text + n, "%s{\"created_by\":\"%01000d\"}", i ? "," : "", i);
    }
    (void)sprintf(text + n, "]}");
    bh_automessage struct bh_message *message = NULL;
    cr_assert_eq(extractor_config(&extractor, text, &message), BH_OK, "%s", extractor.error.message);
    cr_assert_eq(((const Bulkhead__ParsedConfig *)bh_message_body(message))->config->n_history, 3000);
    free(text);
}

Test(extractor_documents, a_config_that_swells_in_memory_is_refused)
{
    size_t n_bytes = 8 << 20;
    char *text = malloc(n_bytes + 1);
    for (size_t i = 0; i < n_bytes; i++) {
        text[i] = "[],"[i % 3];
    }
    text[0] = '[';
    memcpy(text + n_bytes - 4, "[]]", 4);
    bh_automessage struct bh_message *message = NULL;
    enum bh_code code = extractor_config(&extractor, text, &message);
    cr_assert(code == BH_INVALID_ARGUMENT || code == BH_RESOURCE_EXHAUSTED, "%d", code);
    free(text);
}
