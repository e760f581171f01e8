/* SPDX-License-Identifier: Apache-2.0
 *
 * Completion. Where the engine is asked for names, a silent engine costs the user one second at most.
 */
#include "complete.h"

#include <ctype.h>
#include <string.h>

#include "command_table.h"
#include "fields.h"

#define ENGINE_TIMEOUT_MS 1000

struct completion {
    struct engine *engine;
    FILE *stream;
    const char *prefix;  /* what is typed already */
    const char *written; /* "--network=": stands before each candidate */
};

/* Values of options that are not free text: words, or a kind of name. */
static const struct {
    const char *option, *words;
    enum complete kind;
} option_values[] = {
    {"attach", "stdin stdout stderr", 0},
    {"cgroupns", "host private", 0},
    {"cidfile", NULL, COMPLETE_FILES},
    {"config", NULL, COMPLETE_FILES},
    {"env-file", NULL, COMPLETE_FILES},
    {"format", "json table", 0},
    {"health-on-failure", "none kill restart stop", 0},
    {"input", NULL, COMPLETE_FILES},
    {"ipc", "host none private shareable", 0},
    {"label-file", NULL, COMPLETE_FILES},
    {"link", NULL, COMPLETE_CONTAINERS},
    {"log-driver", "json-file local none", 0},
    {"mount", "type=bind, type=volume, type=tmpfs,", 0},
    {"network", NULL, COMPLETE_NETWORKS},
    {"output", NULL, COMPLETE_FILES},
    {"pid", "host", 0},
    {"platform", "linux/amd64 linux/arm64", 0},
    {"pull", "always missing never", 0},
    {"restart", "no always unless-stopped on-failure", 0},
    {"security-opt", "no-new-privileges seccomp= seccomp=unconfined systempaths=unconfined", 0},
    {"signal", "HUP INT KILL QUIT STOP TERM USR1 USR2", 0},
    {"stop-signal", "HUP INT KILL QUIT TERM USR1 USR2", 0},
    {"type", "container image network volume", 0},
    {"userns", "host", 0},
    {"uts", "host", 0},
    {"volume", NULL, COMPLETE_VOLUMES},
    {"volumes-from", NULL, COMPLETE_CONTAINERS},
};

/* Names come from the engine: only what a shell takes for one word is offered. */
static bool is_word(const char *text)
{
    for (const char *at = text; *at; at++) {
        if (!isalnum((unsigned char)*at) && !strchr("_.:/@-=,", *at)) {
            return false;
        }
    }
    return *text != '\0';
}

static void offer(const struct completion *completion, const char *candidate, const char *description)
{
    if (strings_begins(candidate, completion->prefix) && is_word(candidate)) {
        (void)fprintf(completion->stream, "%s%s%s%s\n", completion->written, candidate, description ? "\t" : "",
                      description ? description : "");
    }
}

static void offer_words(const struct completion *completion, const char *words)
{
    char word[64];
    while (*words) {
        size_t length = strcspn(words, " ");
        (void)snprintf(word, sizeof(word), "%.*s", (int)length, words);
        offer(completion, word, NULL);
        words += length;
        words += strspn(words, " ");
    }
}

static void offer_containers(const struct completion *completion, bool all, const char *behind)
{
    json_auto json_t *containers = NULL;
    char candidate[512];
    if (engine_ask(completion->engine, "GET", all ? "/containers/json?all=1" : "/containers/json", NULL, &containers,
                   NULL) < 0) {
        return;
    }
    for (size_t i = 0; i < json_array_size(containers); i++) {
        const json_t *container = json_array_get(containers, i);
        const char *name = json_string_value(json_array_get(field_at(container, "Names"), 0));
        (void)snprintf(candidate, sizeof(candidate), "%s%s", name ? name + (*name == '/') : "", behind);
        offer(completion, candidate, field_text(container, "Image"));
    }
}

static void offer_images(const struct completion *completion)
{
    json_auto json_t *images = NULL;
    if (engine_ask(completion->engine, "GET", "/images/json", NULL, &images, NULL) < 0) {
        return;
    }
    for (size_t i = 0; i < json_array_size(images); i++) {
        const json_t *tags = field_at(json_array_get(images, i), "RepoTags");
        for (size_t at = 0; at < json_array_size(tags); at++) {
            const char *tag = json_string_value(json_array_get(tags, at));
            offer(completion, tag ? tag : "", NULL);
        }
    }
}

static void offer_named(const struct completion *completion, const char *path, const char *key)
{
    json_auto json_t *answer = NULL;
    if (engine_ask(completion->engine, "GET", path, NULL, &answer, NULL) < 0) {
        return;
    }
    const json_t *list = key ? field_at(answer, key) : answer;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *object = json_array_get(list, i);
        offer(completion, field_text(object, "Name"), field_text(object, "Driver"));
    }
}

/* One-word commands, and the groups of the others. */
static void offer_commands(const struct completion *completion)
{
    for (const struct command_section *section = command_sections; section->title; section++) {
        for (size_t i = 0; section->commands[i]; i++) {
            const struct command *command = section->commands[i];
            if (!command->hidden && !strchr(command->name, ' ')) {
                offer(completion, command->name, command->summary);
            }
        }
    }
    for (const struct command_group *group = command_groups; group->name; group++) {
        offer(completion, group->name, group->summary);
    }
}

static void offer_verbs(const struct completion *completion, const char *group)
{
    char verb[64];
    for (const struct command_section *section = command_sections; section->title; section++) {
        for (size_t i = 0; section->commands[i]; i++) {
            size_t length = 0;
            const char *name = command_verb_in(section->commands[i], group, &length);
            if (name) {
                (void)snprintf(verb, sizeof(verb), "%.*s", (int)length, name);
                offer(completion, verb, section->commands[i]->summary);
            }
        }
    }
}

static void offer_kind(const struct completion *completion, enum complete kind)
{
    switch (kind) {
    case COMPLETE_NOTHING:
        return;
    case COMPLETE_CONTAINERS:
    case COMPLETE_RUNNING:
        offer_containers(completion, kind == COMPLETE_CONTAINERS, "");
        return;
    case COMPLETE_IMAGES:
        offer_images(completion);
        return;
    case COMPLETE_VOLUMES:
        offer_named(completion, "/volumes", "Volumes");
        return;
    case COMPLETE_NETWORKS:
        offer_named(completion, "/networks", NULL);
        return;
    case COMPLETE_OBJECTS:
        offer_containers(completion, true, "");
        offer_images(completion);
        offer_named(completion, "/volumes", "Volumes");
        offer_named(completion, "/networks", NULL);
        return;
    case COMPLETE_COMMANDS:
        offer_commands(completion);
        return;
    case COMPLETE_SHELLS:
        offer_words(completion, "bash zsh fish");
        return;
    case COMPLETE_CONTAINER_PATHS:
        if (!strchr(completion->prefix, ':')) {
            offer_containers(completion, true, ":");
        }
        (void)fputs(":files\n", completion->stream);
        return;
    case COMPLETE_FILES:
        (void)fputs(":files\n", completion->stream);
        return;
    }
}

static void offer_options(const struct completion *completion, const struct option *options)
{
    char name[96];
    for (const struct option *row = options; row && row->kind; row++) {
        (void)snprintf(name, sizeof(name), "--%s", row->name);
        offer(completion, name, row->help);
    }
    offer(completion, "--help", "Show help");
}

static void offer_value(const struct completion *completion, const struct option *option)
{
    if (option_is_flag(option)) {
        offer_words(completion, "true false");
        return;
    }
    for (size_t i = 0; i < sizeof(option_values) / sizeof(*option_values); i++) {
        if (strcmp(option_values[i].option, option->name) == 0) {
            offer_words(completion, option_values[i].words ? option_values[i].words : "");
            offer_kind(completion, option_values[i].kind);
        }
    }
}

static const struct option *find_option(const struct option *options, const char *word)
{
    size_t length = strcspn(word, "=");
    bool is_long = strings_begins(word, "--");
    for (const struct option *row = options; row && row->kind; row++) {
        if (is_long ? strlen(row->name) == length - 2 && strncmp(row->name, word + 2, length - 2) == 0
                    : row->letter && row->letter == word[strlen(word) - 1]) {
            return row;
        }
    }
    return NULL;
}

/* Skips options and their values from words[*at] on, up to the one being typed. If that is an option's value,
 * *ret_option is that option. */
static void skip_options(const struct option *options, const struct strings *words, size_t *at,
                         const struct option **ret_option)
{
    *ret_option = NULL;
    while (*at + 1 < words->count && words->items[*at][0] == '-' && words->items[*at][1]) {
        const char *word = words->items[(*at)++];
        const struct option *option = find_option(options, word);
        if (option && !option_is_flag(option) && !strchr(word, '=')) {
            if (*at + 1 == words->count) {
                *ret_option = option;
                return;
            }
            (*at)++;
        }
    }
}

/* The word being typed, where options and arguments may stand. */
static void complete_last(struct completion *completion, const struct option *options, enum complete kind)
{
    const char *equals = strchr(completion->prefix, '=');
    char written[96];
    if (strings_begins(completion->prefix, "--") && equals) {
        const struct option *option = find_option(options, completion->prefix);
        (void)snprintf(written, sizeof(written), "%.*s", (int)(equals + 1 - completion->prefix), completion->prefix);
        completion->written = written;
        completion->prefix = equals + 1;
        if (option) {
            offer_value(completion, option);
        }
        return;
    }
    if (completion->prefix[0] == '-') {
        offer_options(completion, options);
        return;
    }
    offer_kind(completion, kind);
}

static void complete_command(struct completion *completion, const struct command *command, const struct strings *words,
                             size_t at)
{
    const struct option *option = NULL;
    size_t n_arguments = 0;
    for (;;) {
        bool options_over = command->options_first && n_arguments > 0;
        if (!options_over) {
            skip_options(command->options, words, &at, &option);
        }
        if (option) {
            offer_value(completion, option);
            return;
        }
        if (at + 1 >= words->count) {
            break;
        }
        at++;
        n_arguments++;
    }
    if (command->options_first && n_arguments > 0) {
        offer_kind(completion, COMPLETE_FILES);
        return;
    }
    bool next = n_arguments > 0 && command->completes_next;
    complete_last(completion, command->options,
                  n_arguments >= command->arguments_max ? COMPLETE_NOTHING
                  : next                                ? command->completes_next
                                                        : command->completes);
}

/* The engine that the command line itself names; NULL if it does not. Owned by the caller. */
static struct engine *engine_named(const struct strings *words, size_t n_globals)
{
    struct engine *named = NULL;
    for (size_t i = 0; i < n_globals; i++) {
        const char *word = words->items[i];
        const char *host = strings_begins(word, "--host=")                          ? word + strlen("--host=")
                           : strcmp(word, "-H") == 0 || strcmp(word, "--host") == 0 ? words->items[i + 1]
                                                                                    : NULL;
        if (host && !named && engine_new(host, &named, NULL) < 0) {
            named = NULL;
        }
    }
    return named;
}

static void cleanup_engine(struct engine **engine)
{
    engine_free(*engine);
}

void complete_words(struct engine *engine, const struct strings *words, FILE *stream)
{
    const struct option *option = NULL;
    size_t at = 0, used = 0;
    if (words->count == 0) {
        return;
    }
    struct completion completion = {
        .engine = engine, .stream = stream, .prefix = words->items[words->count - 1], .written = ""};
    skip_options(global_options, words, &at, &option);
    bh_cleanup(cleanup_engine) struct engine *named = engine_named(words, at);
    completion.engine = named ? named : engine;
    engine_set_timeout(completion.engine, ENGINE_TIMEOUT_MS);
    if (option) {
        offer_value(&completion, option);
        return;
    }
    if (at + 1 == words->count) {
        complete_last(&completion, global_options, COMPLETE_COMMANDS);
        return;
    }
    const struct strings rest = {.items = words->items + at, .count = words->count - 1 - at};
    const struct command *command = command_find_words(&rest, &used);
    if (command) {
        complete_command(&completion, command, words, at + used);
    } else if (rest.count == 1 && command_group_find(rest.items[0])) {
        offer_verbs(&completion, rest.items[0]);
    } else if (rest.count == 1 && strcmp(rest.items[0], "help") == 0) {
        offer_commands(&completion);
    }
}
