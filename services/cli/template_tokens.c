/* SPDX-License-Identifier: Apache-2.0
 *
 * Text to words. Pure; the words borrow the text.
 */
#include "template_tokens.h"

#include <ctype.h>
#include <string.h>

static int refuse(struct bh_error *error, const char *what)
{
    return bh_error_set(error, BH_INVALID_ARGUMENT, "template parsing error: %s", what);
}

static size_t name_length(const char *text)
{
    size_t length = 0;
    while (isalnum((unsigned char)text[length]) || text[length] == '_') {
        length++;
    }
    return length;
}

static int read_quoted(struct token *token, struct bh_error *error)
{
    const char *start = token->start, *end = start + 1;
    while (*end && *end != *start) {
        end += *end == '\\' && *start == '"' && end[1] ? 2 : 1;
    }
    if (!*end) {
        return refuse(error, "unterminated quoted string");
    }
    token->kind = TOKEN_STRING;
    token->length = (size_t)(end + 1 - start);
    return 0;
}

static int read_mark(struct token *token, struct bh_error *error)
{
    static const char marks[] = ".|(),";
    static const enum token_kind kinds[] = {TOKEN_DOT, TOKEN_PIPE, TOKEN_OPEN_PARENTHESIS, TOKEN_CLOSE_PARENTHESIS,
                                            TOKEN_COMMA};
    const char *mark = strchr(marks, *token->start);
    if (!mark) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "template parsing error: unexpected \"%c\" in command",
                            *token->start);
    }
    token->kind = kinds[mark - marks];
    return 0;
}

int template_next_token(const char **at, struct token *ret_token, struct bh_error *error)
{
    const char *before = *at, *start = before;
    while (isspace((unsigned char)*start)) {
        start++;
    }
    struct token token = {.start = start, .length = 1, .spaced = start > before};
    int result = 0;
    if (strncmp(start, "}}", 2) == 0 || (token.spaced && strncmp(start, "-}}", 3) == 0)) {
        token.kind = TOKEN_CLOSE;
        token.length = *start == '-' ? 3 : 2;
    } else if (*start == '\0') {
        return refuse(error, "unclosed action");
    } else if (*start == '"' || *start == '`') {
        result = read_quoted(&token, error);
    } else if ((*start == '.' && name_length(start + 1) > 0 && !isdigit((unsigned char)start[1])) || *start == '$') {
        token.kind = *start == '.' ? TOKEN_FIELD : TOKEN_VARIABLE;
        token.start = start + 1;
        token.length = name_length(start + 1);
    } else if (isdigit((unsigned char)*start) || (*start == '-' && isdigit((unsigned char)start[1]))) {
        token.kind = TOKEN_NUMBER;
        token.length = 1 + strspn(start + 1, "0123456789.");
    } else if (name_length(start) > 0) {
        token.kind = TOKEN_NAME;
        token.length = name_length(start);
    } else if (strncmp(start, ":=", 2) == 0) {
        token.kind = TOKEN_DECLARE;
        token.length = 2;
    } else {
        result = read_mark(&token, error);
    }
    *at = token.start + token.length;
    *ret_token = token;
    return result;
}

bool template_token_is(const struct token *token, const char *name)
{
    return token->kind == TOKEN_NAME && token->length == strlen(name) &&
           strncmp(token->start, name, token->length) == 0;
}
