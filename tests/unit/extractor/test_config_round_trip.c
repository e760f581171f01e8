/* SPDX-License-Identifier: Apache-2.0
 *
 * What the engine writes as an image's config, the extractor reads back as the same config: for many configs made up at
 * random, odd characters and all.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/fields.h"
#include "config.h"
#include "services/engine/config_json.h"

#define ROUNDS 2000

static struct bh_error error;
static uint64_t state;

static uint32_t random_below(uint32_t bound)
{
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    return (uint32_t)(state >> 33) % bound;
}

static const char *random_text(void)
{
    static const char *const parts[] = {
        "a", "Z", "/", "=",  "\"", "\\", "\n", "\t", "\x01", "\x7f", "\xc3\xa9", "\xe2\x80\xa8", "\xf0\x9f\x90\xb3",
        "<", "&", " ", "$x", "{}"};
    static char text[128];
    text[0] = '\0';
    for (uint32_t n = random_below(10); n > 0; n--) {
        strcat(text, parts[random_below(sizeof parts / sizeof *parts)]);
    }
    return text;
}

static void random_list(char ***list, size_t *n_list, bool distinct)
{
    for (uint32_t n = random_below(4), i = 0; i < n; i++) {
        char text[160];
        (void)snprintf(text, sizeof text, distinct ? "%u%s" : "%.0u%s", i, random_text());
        cr_assert_eq(strings_append(list, n_list, text, &error), 0);
    }
}

static void *made(size_t size)
{
    void *made = calloc(1, size);
    cr_assert_not_null(made);
    return made;
}

static void random_labels(Bulkhead__ImageConfig *config)
{
    config->labels = made(4 * sizeof *config->labels);
    for (uint32_t n = random_below(4); config->n_labels < n;) {
        Bulkhead__KeyValue *label = made(sizeof *label);
        char key[160];
        bulkhead__key_value__init(label);
        (void)snprintf(key, sizeof key, "%zu%s", config->n_labels, random_text()); /* in the order of their bytes */
        cr_assert_eq(string_set(&label->key, key, &error), 0);
        cr_assert_eq(string_set(&label->value, random_text(), &error), 0);
        config->labels[config->n_labels++] = label;
    }
}

static void random_history(Bulkhead__ImageConfig *config)
{
    config->history = made(4 * sizeof *config->history);
    for (uint32_t n = random_below(4); config->n_history < n;) {
        Bulkhead__History *entry = made(sizeof *entry);
        bulkhead__history__init(entry);
        cr_assert_eq(string_set(&entry->created_by, random_text(), &error), 0);
        cr_assert_eq(string_set(&entry->comment, random_text(), &error), 0);
        entry->created_ns = (int64_t)random_below(2000000000) * 1000000007;
        entry->empty_layer = random_below(2);
        config->history[config->n_history++] = entry;
    }
}

static Bulkhead__ImageConfig *random_config(void)
{
    Bulkhead__ImageConfig *config = made(sizeof *config);
    bulkhead__image_config__init(config);
    char **texts[] = {&config->os,          &config->architecture,   &config->variant,
                      &config->author,      &config->user,           &config->working_dir,
                      &config->stop_signal, &config->docker_version, &config->comment};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        cr_assert_eq(string_set(texts[i], random_text(), &error), 0);
    }
    config->created_ns = (int64_t)random_below(2000000000) * 1000000007;
    random_list(&config->env, &config->n_env, false);
    random_list(&config->cmd, &config->n_cmd, false);
    random_list(&config->entrypoint, &config->n_entrypoint, false);
    random_list(&config->shell, &config->n_shell, false);
    random_list(&config->on_build, &config->n_on_build, false);
    random_list(&config->exposed_ports, &config->n_exposed_ports, true);
    random_list(&config->volumes, &config->n_volumes, true);
    random_labels(config);
    random_history(config);
    config->diff_ids = made(4 * sizeof *config->diff_ids);
    for (uint32_t n = random_below(4); config->n_diff_ids < n;) {
        uint8_t digest[32] = {(uint8_t)random_below(256)};
        cr_assert_eq(bytes_set(&config->diff_ids[config->n_diff_ids++], digest, sizeof digest, &error), 0);
    }
    if (random_below(2)) {
        config->healthcheck = made(sizeof *config->healthcheck);
        bulkhead__healthcheck__init(config->healthcheck);
        random_list(&config->healthcheck->test, &config->healthcheck->n_test, false);
        config->healthcheck->timeout_ns = random_below(1000);
        config->healthcheck->retries = (int32_t)random_below(100);
    }
    return config;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}
static int by_key(const void *a, const void *b)
{
    Bulkhead__KeyValue *const *left = a, *const *right = b;
    return strcmp((*left)->key, (*right)->key);
}

static void sort(void *items, size_t n_items, size_t item_bytes, int (*order)(const void *, const void *))
{
    if (n_items > 0) {
        qsort(items, n_items, item_bytes, order);
    }
}

/* Packed, with what is a set in one order. */
static uint8_t *packed(Bulkhead__ImageConfig *config, size_t *ret_bytes)
{
    sort(config->exposed_ports, config->n_exposed_ports, sizeof(char *), by_text);
    sort(config->volumes, config->n_volumes, sizeof(char *), by_text);
    sort(config->labels, config->n_labels, sizeof *config->labels, by_key);
    *ret_bytes = bulkhead__image_config__get_packed_size(config);
    uint8_t *bytes = made(*ret_bytes + 1);
    (void)bulkhead__image_config__pack(config, bytes);
    return bytes;
}

Test(config_round_trip, what_is_written_is_read_back)
{
    state = 42;
    for (int round = 0; round < ROUNDS; round++) {
        Bulkhead__ImageConfig *config = random_config();
        char *text = NULL;
        size_t n_bytes, n_before, n_after;
        bh_autojson json_t *json = NULL;
        bh_autoconfig struct config_document document = {0};
        cr_assert_eq(config_json_write(config, &text, &n_bytes, &error), 0, "%s", error.message);
        cr_assert_eq(json_parse(text, n_bytes, "config", &json, &error), 0, "%s\n%.*s", error.message, (int)n_bytes,
                     text);
        cr_assert_eq(config_parse(json, &document, &error), 0, "%s\n%.*s", error.message, (int)n_bytes, text);
        uint8_t *before = packed(config, &n_before), *after = packed(document.config, &n_after);
        cr_assert(n_before == n_after && memcmp(before, after, n_before) == 0, "%.*s", (int)n_bytes, text);
        free(before);
        free(after);
        free(text);
        bulkhead__image_config__free_unpacked(config, NULL);
    }
}
