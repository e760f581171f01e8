/* SPDX-License-Identifier: Apache-2.0
 *
 * See log_options.h.
 */
#include "services/engine/log_options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/digest.h"
#include "common/limits.h"
#include "common/fields.h"
#include "services/engine/merge.h"
#include "services/engine/pattern.h"

#define SHORT_ID_DIGITS 12
#define TAG_BYTES_MAX   255

/* ---- attributes -------------------------------------------------------------------------------- */

static int add_attribute(Bulkhead__LogOptions *log, const char *key, const char *value, struct bh_error *error)
{
    if (log->n_attributes == BH_LOG_ATTRIBUTES_MAX) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "the log options name more than %d labels and variables",
                            BH_LOG_ATTRIBUTES_MAX);
    }
    if (!log->attributes && !(log->attributes = calloc(BH_LOG_ATTRIBUTES_MAX, sizeof *log->attributes))) {
        return bh_error_errno(error, ENOMEM, "list a log's attributes");
    }
    Bulkhead__KeyValue *attribute = malloc(sizeof *attribute);
    if (!attribute) {
        return bh_error_errno(error, ENOMEM, "list a log's attributes");
    }
    bulkhead__key_value__init(attribute);
    log->attributes[log->n_attributes++] = attribute;
    return string_set(&attribute->key, key, error) < 0 || string_set(&attribute->value, value, error) < 0 ? -1 : 0;
}

/* Which labels or variables a client wants: those it names, and those whose names its pattern finds. */
struct wanted {
    char **names;
    size_t n_names;
    bool has_pattern;
    struct pattern pattern;
};

static int wanted_init(struct wanted *wanted, char **names, size_t n_names, const char *pattern, const char *option,
                       struct bh_error *error)
{
    *wanted = (struct wanted){.names = names, .n_names = n_names, .has_pattern = *pattern != '\0'};
    if (wanted->has_pattern && pattern_compile(pattern, &wanted->pattern, error) < 0) {
        return bh_error_wrap(error, "log option %s", option);
    }
    return 0;
}

static bool is_wanted(const struct wanted *wanted, const char *name)
{
    for (size_t i = 0; i < wanted->n_names; i++) {
        if (strcmp(wanted->names[i], name) == 0) {
            return true;
        }
    }
    return wanted->has_pattern && pattern_finds(&wanted->pattern, name);
}

static int add_labels(const Bulkhead__ImageConfig *image, const Bulkhead__ContainerRequest *request,
                      Bulkhead__LogOptions *log, struct bh_error *error)
{
    bh_autofree Bulkhead__KeyValue **labels = NULL;
    size_t n_labels = 0;
    struct wanted wanted;
    if (wanted_init(&wanted, request->log_labels, request->n_log_labels, request->log_labels_pattern, "labels-regex",
                    error) < 0 ||
        merge_labels(image, request, &labels, &n_labels, error) < 0) {
        return -1;
    }
    for (size_t i = 0; i < n_labels; i++) {
        if (is_wanted(&wanted, labels[i]->key) && add_attribute(log, labels[i]->key, labels[i]->value, error) < 0) {
            return -1;
        }
    }
    return 0;
}

static int add_variables(const Bulkhead__ContainerRequest *request, const Bulkhead__ContainerSpec *spec,
                         Bulkhead__LogOptions *log, struct bh_error *error)
{
    const Bulkhead__Process *process = spec->process;
    struct wanted wanted;
    if (wanted_init(&wanted, request->log_env, request->n_log_env, request->log_env_pattern, "env-regex", error) < 0) {
        return -1;
    }
    for (size_t i = 0; i < process->n_env; i++) {
        const char *value = strchr(process->env[i], '=');
        bh_autofree char *name = value ? strndup(process->env[i], (size_t)(value - process->env[i])) : NULL;
        if (value && !name) {
            return bh_error_errno(error, ENOMEM, "list a log's attributes");
        }
        if (value && is_wanted(&wanted, name) && add_attribute(log, name, value + 1, error) < 0) {
            return -1;
        }
    }
    return 0;
}

int log_options_merge(const Bulkhead__ImageConfig *image, const Bulkhead__ContainerRequest *request,
                      Bulkhead__ContainerSpec *spec, struct bh_error *error)
{
    Bulkhead__LogOptions json_file = BULKHEAD__LOG_OPTIONS__INIT;
    json_file.driver = BULKHEAD__LOG_DRIVER__LOG_DRIVER_JSON_FILE;
    ProtobufCMessage *copy = NULL;
    if (message_copy(request->log ? &request->log->base : &json_file.base, &copy, error) < 0) {
        return -1;
    }
    spec->log = (Bulkhead__LogOptions *)copy;
    return log_options_check_tag(spec->log->tag, error) < 0 || add_labels(image, request, spec->log, error) < 0 ||
                   add_variables(request, spec, spec->log, error) < 0
               ? -1
               : 0;
}

/* ---- the tag ----------------------------------------------------------------------------------- */

/* What the words of a template stand for. */
struct facts {
    char id[BH_DIGEST_HEX_SIZE], short_id[SHORT_ID_DIGITS + 1];
    char image[BH_DIGEST_HEX_SIZE], short_image[SHORT_ID_DIGITS + 1];
    const char *name, *image_name;
};

static const char *word_value(const struct facts *facts, const char *word, size_t length)
{
    const struct {
        const char *word;
        const char *value;
    } words[] = {{".ID", facts->short_id},         {".FullID", facts->id},         {".Name", facts->name},
                 {".ImageID", facts->short_image}, {".ImageFullID", facts->image}, {".ImageName", facts->image_name},
                 {".DaemonName", "bulkhead"}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strlen(words[i].word) == length && memcmp(words[i].word, word, length) == 0) {
            return words[i].value;
        }
    }
    return NULL;
}

/* Cut at TAG_BYTES_MAX, as the tag is for people. */
static int expand(const char *tag, const struct facts *facts, char ret_text[static TAG_BYTES_MAX + 1],
                  struct bh_error *error)
{
    size_t used = 0;
    while (*tag) {
        const char *value = tag;
        size_t n_value = 1, taken = 1;
        if (strncmp(tag, "{{", 2) == 0) {
            const char *end = strstr(tag, "}}");
            const char *word = tag + 2;
            size_t length = end ? (size_t)(end - word) : 0;
            for (; length > 0 && *word == ' '; word++, length--) {
            }
            for (; length > 0 && word[length - 1] == ' '; length--) {
            }
            value = length ? word_value(facts, word, length) : NULL;
            if (!value) {
                return bh_error_set(error, BH_INVALID_ARGUMENT,
                                    "log option tag=\"%.200s\": what stands in braces must be {{.ID}}, {{.FullID}}, "
                                    "{{.Name}}, {{.ImageID}}, {{.ImageFullID}}, {{.ImageName}} or {{.DaemonName}}",
                                    tag);
            }
            n_value = strlen(value);
            taken = (size_t)(end + 2 - tag);
        }
        if (n_value > TAG_BYTES_MAX - used) {
            n_value = TAG_BYTES_MAX - used;
        }
        memcpy(ret_text + used, value, n_value);
        used += n_value;
        tag += taken;
    }
    ret_text[used] = '\0';
    return 0;
}

static void digits_of(const ProtobufCBinaryData *bytes, char *ret_hex, char *ret_short)
{
    struct bh_digest digest = {0};
    memcpy(digest.bytes, bytes->data, bytes->len < sizeof digest.bytes ? bytes->len : sizeof digest.bytes);
    (void)bh_digest_hex(&digest, ret_hex);
    (void)snprintf(ret_short, SHORT_ID_DIGITS + 1, "%.*s", SHORT_ID_DIGITS, ret_hex);
}

int log_options_check_tag(const char *tag, struct bh_error *error)
{
    const struct facts nobody = {.name = "", .image_name = ""};
    char text[TAG_BYTES_MAX + 1];
    return expand(tag, &nobody, text, error);
}

int log_options_name(Bulkhead__ContainerSpec *spec, const char *name, struct bh_error *error)
{
    struct facts facts = {.name = name, .image_name = spec->image_reference};
    char text[TAG_BYTES_MAX + 1];
    digits_of(&spec->id, facts.id, facts.short_id);
    digits_of(&spec->image_digest, facts.image, facts.short_image);
    return expand(spec->log->tag, &facts, text, error) < 0 || string_set(&spec->log->tag, text, error) < 0 ||
                   string_set(&spec->log->container_name, name, error) < 0
               ? -1
               : 0;
}
