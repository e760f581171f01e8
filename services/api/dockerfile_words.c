/* SPDX-License-Identifier: Apache-2.0
 *
 * See dockerfile_words.h. The rules are those of Docker's own parser and of its shell words.
 */
#include "dockerfile_words.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/fields.h"

#define NAME_BYTES_MAX 256

static int no_memory(struct bh_error *error)
{
    return bh_error_errno(error, ENOMEM, "read a Dockerfile instruction");
}

/* ---- lines ---------------------------------------------------------------------------------------- */

void dockerfile_line_end(struct dockerfile_line *line)
{
    free(line->instruction);
    free(line->rest);
    *line = (struct dockerfile_line){0};
}

static const char *skip_space(const char *text)
{
    return text + strspn(text, " \t\r\v\f");
}

/* Copies one physical line, without white space around it, behind `joined`; tells whether it goes on in the next. */
static bool append_line(const char **cursor, char *joined)
{
    size_t length = strcspn(*cursor, "\n");
    const char *from = *cursor;
    *cursor += length + ((*cursor)[length] == '\n');
    while (length > 0 && isspace((unsigned char)from[length - 1])) {
        length--;
    }
    bool goes_on = length > 0 && from[length - 1] == '\\';
    strncat(joined, from, length - goes_on);
    return goes_on;
}

int dockerfile_next_line(const char **cursor, struct dockerfile_line *ret_line, struct bh_error *error)
{
    bh_autofree char *joined = calloc(1, strlen(*cursor) + 1);
    if (!joined) {
        return no_memory(error);
    }
    bool goes_on = false;
    while (**cursor && (goes_on || *joined == '\0')) {
        const char *start = skip_space(*cursor);
        if (*start == '#' || *start == '\n') { /* also between the parts of a continued line */
            *cursor = start + strcspn(start, "\n");
            *cursor += **cursor == '\n';
            continue;
        }
        if (!goes_on) {
            *cursor = start;
        }
        goes_on = append_line(cursor, joined);
    }
    if (*joined == '\0') {
        return 0;
    }
    size_t length = strcspn(joined, " \t\r\v\f");
    char *instruction = strndup(joined, length), *rest = strdup(skip_space(joined + length));
    *ret_line = (struct dockerfile_line){.instruction = instruction, .rest = rest};
    if (!instruction || !rest) {
        dockerfile_line_end(ret_line);
        return no_memory(error);
    }
    return 1;
}

/* ---- words ---------------------------------------------------------------------------------------- */

/* The length of the word at `text`: up to white space outside quotes. */
static size_t word_length(const char *text)
{
    char quote = '\0';
    size_t i = 0;
    for (; text[i] && (quote || !isspace((unsigned char)text[i])); i++) {
        if (text[i] == '\\' && quote != '\'' && text[i + 1]) {
            i++;
        } else if (quote ? text[i] == quote : text[i] == '"' || text[i] == '\'') {
            quote = quote ? '\0' : text[i];
        }
    }
    return i;
}

int dockerfile_split(const char *text, char ***ret_words, size_t *ret_n_words, struct bh_error *error)
{
    for (;;) {
        text = skip_space(text);
        size_t length = word_length(text);
        if (length == 0) {
            return 0;
        }
        bh_autofree char *word = strndup(text, length);
        if (!word) {
            return no_memory(error);
        }
        if (strings_append(ret_words, ret_n_words, word, error) < 0) {
            return -1;
        }
        text += length;
    }
}

/* ---- expansion ------------------------------------------------------------------------------------ */

struct expansion {
    char *const *env;
    size_t n_env;
    char *bytes; /* DOCKERFILE_WORD_BYTES_MAX and a NUL */
    size_t n_bytes;
    unsigned depth;
    struct bh_error *error;
};

#define DEPTH_MAX 16 /* of ${a:-${b:-…}} */

static int put(struct expansion *expansion, const char *bytes, size_t n_bytes)
{
    if (n_bytes > DOCKERFILE_WORD_BYTES_MAX - expansion->n_bytes) {
        return bh_error_set(expansion->error, BH_INVALID_ARGUMENT,
                            "a word of a Dockerfile instruction grows to more than %u bytes",
                            DOCKERFILE_WORD_BYTES_MAX);
    }
    memcpy(expansion->bytes + expansion->n_bytes, bytes, n_bytes);
    expansion->n_bytes += n_bytes;
    return 0;
}

static const char *find_variable(const struct expansion *expansion, const char *name, size_t length)
{
    for (size_t i = 0; i < expansion->n_env; i++) {
        const char *entry = expansion->env[i];
        if (strncmp(entry, name, length) == 0 && entry[length] == '=') {
            return entry + length + 1;
        }
    }
    return NULL;
}

static int expand_text(struct expansion *expansion, const char *text, size_t n_bytes);

/* How long ${...} is, braces inside counted; 0 if it does not end. */
static size_t brace_length(const char *text, size_t n_bytes)
{
    unsigned open = 0;
    for (size_t i = 0; i < n_bytes; i++) {
        if (text[i] == '\\' && i + 1 < n_bytes) {
            i++;
        } else if (text[i] == '{') {
            open++;
        } else if (text[i] == '}' && --open == 0) {
            return i + 1;
        }
    }
    return 0;
}

static size_t name_length(const char *text, size_t n_bytes)
{
    size_t length = 0;
    while (length < n_bytes && (isalnum((unsigned char)text[length]) || text[length] == '_')) {
        length++;
    }
    return length > 0 && isdigit((unsigned char)text[0]) ? 1 : length; /* $1 is one character, as in a shell */
}

/* What stands between the braces: name, or name and a modifier (":-", ":+", ":?", "-", "+", "?") and a word. */
static int expand_braces(struct expansion *expansion, const char *text, size_t n_bytes)
{
    size_t length = name_length(text, n_bytes);
    const char *value = find_variable(expansion, text, length);
    const char *rest = text + length;
    size_t n_rest = n_bytes - length;
    if (length == 0) {
        return bh_error_set(expansion->error, BH_INVALID_ARGUMENT, "bad substitution: ${%.*s}",
                            (int)(n_bytes > 64 ? 64 : n_bytes), text);
    }
    if (n_rest == 0) {
        return value ? put(expansion, value, strlen(value)) : 0;
    }
    bool or_empty = *rest == ':';
    rest += or_empty;
    n_rest -= or_empty;
    bool is_set = value && (!or_empty || *value);
    char modifier = n_rest > 0 ? *rest : '\0';
    switch (modifier) {
    case '-':
        return is_set ? put(expansion, value, strlen(value)) : expand_text(expansion, rest + 1, n_rest - 1);
    case '+':
        return is_set ? expand_text(expansion, rest + 1, n_rest - 1) : 0;
    case '?':
        return is_set
                   ? put(expansion, value, strlen(value))
                   : bh_error_set(expansion->error, BH_INVALID_ARGUMENT, "%.*s: %.*s", (int)(length > 64 ? 64 : length),
                                  text, (int)(n_rest > 64 ? 64 : n_rest - 1), rest + 1);
    default:
        return bh_error_set(expansion->error, BH_INVALID_ARGUMENT, "unsupported modifier (%c) in substitution",
                            modifier ? modifier : ':');
    }
}

/* At a '$'. *ret_used: how much of the text it took. */
static int expand_variable(struct expansion *expansion, const char *text, size_t n_bytes, size_t *ret_used)
{
    if (n_bytes > 1 && text[1] == '{') {
        size_t length = brace_length(text + 1, n_bytes - 1);
        if (length == 0) {
            return bh_error_set(expansion->error, BH_INVALID_ARGUMENT, "syntax error: missing '}' in \"%.*s\"",
                                (int)(n_bytes > 64 ? 64 : n_bytes), text);
        }
        *ret_used = 1 + length;
        return expand_braces(expansion, text + 2, length - 2);
    }
    size_t length = name_length(text + 1, n_bytes - 1);
    const char *value = find_variable(expansion, text + 1, length);
    *ret_used = 1 + length;
    if (length == 0) {
        return put(expansion, "$", 1);
    }
    return value ? put(expansion, value, strlen(value)) : 0;
}

static int refuse_quote(const struct expansion *expansion, char quote)
{
    return bh_error_set(expansion->error, BH_INVALID_ARGUMENT,
                        "unexpected end of statement while looking for matching %s-quote",
                        quote == '"' ? "double" : "single");
}

static int expand_text(struct expansion *expansion, const char *text, size_t n_bytes)
{
    char quote = '\0';
    if (expansion->depth++ == DEPTH_MAX) {
        return bh_error_set(expansion->error, BH_INVALID_ARGUMENT, "variables are nested more than %d deep", DEPTH_MAX);
    }
    for (size_t i = 0; i < n_bytes;) {
        size_t used = 1;
        int result = 0;
        if (quote != '\'' && text[i] == '$') {
            result = expand_variable(expansion, text + i, n_bytes - i, &used);
        } else if (quote ? text[i] == quote : text[i] == '"' || text[i] == '\'') {
            quote = quote ? '\0' : text[i];
        } else if (quote != '\'' && text[i] == '\\' && i + 1 < n_bytes) {
            /* Within double quotes only these three lose their backslash. */
            bool plain = quote == '"' && !strchr("\"$\\", text[i + 1]);
            result = put(expansion, text + i + !plain, plain ? 2 : 1);
            used = 2;
        } else {
            result = put(expansion, text + i, 1);
        }
        if (result < 0) {
            return -1;
        }
        i += used;
    }
    expansion->depth--;
    return quote ? refuse_quote(expansion, quote) : 0;
}

int dockerfile_expand(const char *text, char *const *env, size_t n_env, char **ret_word, struct bh_error *error)
{
    bh_autofree char *bytes = malloc(DOCKERFILE_WORD_BYTES_MAX + 1);
    struct expansion expansion = {.env = env, .n_env = n_env, .bytes = bytes, .error = error};
    if (!bytes) {
        return no_memory(error);
    }
    if (expand_text(&expansion, text, strlen(text)) < 0) {
        return -1;
    }
    bytes[expansion.n_bytes] = '\0';
    *ret_word = strdup(bytes);
    return *ret_word ? 0 : no_memory(error);
}
