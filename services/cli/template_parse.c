/* SPDX-License-Identifier: Apache-2.0
 *
 * Text to tree. The user's own words are the input; depth and counts are bounded so that no template can exhaust the
 * stack.
 */
#include "template.h"

#include <ctype.h>
#include <string.h>

#include "template_tokens.h"
#include "template_tree.h"

struct parser {
    struct template *template;
    const char *at;
    struct token token; /* the current one, inside an action */
    bool trim_next;     /* the last action ended with " -}}" */
    unsigned int depth;
    struct bh_error *error;
};

static int refuse(struct parser *parser, const char *what)
{
    return bh_error_set(parser->error, BH_INVALID_ARGUMENT, "template parsing error: %s", what);
}

static int next_token(struct parser *parser)
{
    if (template_next_token(&parser->at, &parser->token, parser->error) < 0) {
        return -1;
    }
    parser->trim_next = parser->token.kind == TOKEN_CLOSE && parser->token.length == strlen("-}}");
    return 0;
}

static bool token_is_name(const struct parser *parser, const char *name)
{
    return template_token_is(&parser->token, name);
}

static void *allocate(struct parser *parser, size_t bytes)
{
    struct template *template = parser->template;
    void **blocks = reallocarray(template->blocks, template->n_blocks + 1, sizeof(*blocks));
    if (blocks) {
        template->blocks = blocks;
        template->blocks[template->n_blocks] = calloc(1, bytes);
    }
    if (!blocks || !template->blocks[template->n_blocks]) {
        (void)refuse(parser, "out of memory");
        return NULL;
    }
    return template->blocks[template->n_blocks++];
}

static char *copy(struct parser *parser, const char *start, size_t length)
{
    char *text = allocate(parser, length + 1);
    if (text) {
        memcpy(text, start, length);
    }
    return text;
}

/* ---- expressions --------------------------------------------------------------------------------- */

static int parse_pipeline(struct parser *parser, struct expression **ret_expression);

/* Go's interpreted strings, as far as anybody writes them: \" \\ \n \t. Raw ones (`...`) as they are. */
static json_t *string_literal(struct parser *parser)
{
    char *text = copy(parser, parser->token.start + 1, parser->token.length - 2), *out = text;
    if (!text) {
        return NULL;
    }
    for (const char *in = text; *in && *parser->token.start == '"'; in++) {
        if (*in == '\\' && in[1]) {
            in++;
            *out++ = (char)(*in == 'n' ? '\n' : *in == 't' ? '\t' : *in);
        } else {
            *out++ = *in;
        }
    }
    if (*parser->token.start == '"') {
        *out = '\0';
    }
    return json_string(text);
}

static int parse_literal(struct parser *parser, struct expression *expression)
{
    json_t *value = NULL;
    if (parser->token.kind == TOKEN_STRING) {
        value = string_literal(parser);
    } else if (parser->token.kind == TOKEN_NUMBER) {
        bool real = memchr(parser->token.start, '.', parser->token.length) != NULL;
        value =
            real ? json_real(strtod(parser->token.start, NULL)) : json_integer(strtoll(parser->token.start, NULL, 10));
    } else {
        value = token_is_name(parser, "nil") ? json_null() : json_boolean(token_is_name(parser, "true"));
    }
    if (!value || json_array_append_new(parser->template->literals, value) < 0) {
        return refuse(parser, "invalid literal");
    }
    expression->kind = EXPRESSION_LITERAL;
    expression->literal = value;
    return 0;
}

static int append_field(struct parser *parser, struct expression *expression)
{
    if (expression->n_fields == TEMPLATE_FIELDS_MAX) {
        return refuse(parser, "too many fields in one chain");
    }
    const char *name = copy(parser, parser->token.start, parser->token.length);
    expression->fields[expression->n_fields++] = name;
    return name ? 0 : -1;
}

static int begin_operand(struct parser *parser, struct expression **expression)
{
    switch (parser->token.kind) {
    case TOKEN_DOT:
        (*expression)->kind = EXPRESSION_DOT;
        return 0;
    case TOKEN_FIELD:
        (*expression)->kind = EXPRESSION_DOT;
        return append_field(parser, *expression);
    case TOKEN_VARIABLE:
        (*expression)->kind = EXPRESSION_VARIABLE;
        (*expression)->name = copy(parser, parser->token.start, parser->token.length);
        return (*expression)->name ? 0 : -1;
    case TOKEN_OPEN_PARENTHESIS:
        if (next_token(parser) < 0 || parse_pipeline(parser, expression) < 0) {
            return -1;
        }
        return parser->token.kind == TOKEN_CLOSE_PARENTHESIS ? 0 : refuse(parser, "unclosed left parenthesis");
    case TOKEN_NAME:
        if (!token_is_name(parser, "true") && !token_is_name(parser, "false") && !token_is_name(parser, "nil")) {
            (*expression)->kind = EXPRESSION_CALL;
            (*expression)->function = template_function_find(parser->token.start, parser->token.length);
            return (*expression)->function ? 0
                                           : bh_error_set(parser->error, BH_INVALID_ARGUMENT,
                                                          "template parsing error: function \"%.*s\" not defined",
                                                          (int)parser->token.length, parser->token.start);
        }
        return parse_literal(parser, *expression);
    case TOKEN_STRING:
    case TOKEN_NUMBER:
        return parse_literal(parser, *expression);
    default:
        return refuse(parser, "missing value for command");
    }
}

/* One operand and the fields that follow it without a space. Leaves the next token current. */
static int parse_operand(struct parser *parser, struct expression **ret_expression)
{
    struct expression *expression = allocate(parser, sizeof(*expression));
    if (!expression || begin_operand(parser, &expression) < 0 || next_token(parser) < 0) {
        return -1;
    }
    while (parser->token.kind == TOKEN_FIELD && !parser->token.spaced) {
        if (append_field(parser, expression) < 0 || next_token(parser) < 0) {
            return -1;
        }
    }
    *ret_expression = expression;
    return 0;
}

static int append_argument(struct parser *parser, struct expression *call, struct expression *argument)
{
    if (call->n_arguments == TEMPLATE_ARGUMENTS_MAX) {
        return refuse(parser, "too many arguments");
    }
    call->arguments[call->n_arguments++] = argument;
    return 0;
}

static int check_arguments(struct parser *parser, const struct expression *call)
{
    if (!call->function ||
        (call->n_arguments >= call->function->arguments_min && call->n_arguments <= call->function->arguments_max)) {
        return 0;
    }
    return bh_error_set(parser->error, BH_INVALID_ARGUMENT,
                        "template parsing error: wrong number of arguments for %s: got %zu", call->function->name,
                        call->n_arguments);
}

/* An operand, or a function and its arguments; `piped`, if any, is the last of them. */
static int parse_command(struct parser *parser, struct expression *piped, struct expression **ret_expression)
{
    struct expression *command = NULL, *argument = NULL;
    bool is_call = parser->token.kind == TOKEN_NAME;
    if (parse_operand(parser, &command) < 0) {
        return -1;
    }
    is_call = is_call && command->kind == EXPRESSION_CALL && command->n_arguments == 0;
    while (parser->token.kind != TOKEN_PIPE && parser->token.kind != TOKEN_CLOSE &&
           parser->token.kind != TOKEN_CLOSE_PARENTHESIS) {
        if (!is_call) {
            return refuse(parser, "can't give an argument to something that is not a function");
        }
        bool bare = parser->token.kind == TOKEN_NAME; /* a function's name as an argument: called without any */
        if (parse_operand(parser, &argument) < 0 || (bare && check_arguments(parser, argument) < 0) ||
            append_argument(parser, command, argument) < 0) {
            return -1;
        }
    }
    if (piped && !is_call) {
        return refuse(parser, "what follows \"|\" must be a function");
    }
    if (piped && append_argument(parser, command, piped) < 0) {
        return -1;
    }
    *ret_expression = command;
    return check_arguments(parser, command);
}

static int parse_pipeline(struct parser *parser, struct expression **ret_expression)
{
    struct expression *expression = NULL;
    if (++parser->depth > TEMPLATE_DEPTH_MAX) {
        return refuse(parser, "too deeply nested");
    }
    if (parse_command(parser, NULL, &expression) < 0) {
        return -1;
    }
    while (parser->token.kind == TOKEN_PIPE) {
        if (next_token(parser) < 0 || parse_command(parser, expression, &expression) < 0) {
            return -1;
        }
    }
    parser->depth--;
    *ret_expression = expression;
    return 0;
}

/* [$a [, $b] :=] pipeline. A variable that is not declared here starts an ordinary pipeline. */
static int parse_declaration(struct parser *parser, struct node *node)
{
    struct parser before = *parser;
    size_t n_variables = 0;
    while (parser->token.kind == TOKEN_VARIABLE && n_variables < 2) {
        node->variables[n_variables++] = copy(parser, parser->token.start, parser->token.length);
        if (next_token(parser) < 0) {
            return -1;
        }
        if (parser->token.kind == TOKEN_DECLARE) {
            return next_token(parser) < 0 ? -1 : parse_pipeline(parser, &node->expression);
        }
        if (parser->token.kind != TOKEN_COMMA || next_token(parser) < 0) {
            break;
        }
    }
    *parser = before;
    node->variables[0] = node->variables[1] = NULL;
    return parse_pipeline(parser, &node->expression);
}

/* ---- nodes --------------------------------------------------------------------------------------- */

/* How a list of nodes ended. */
enum ending { ENDING_TEXT = 1, ENDING_END, ENDING_ELSE };

static int parse_nodes(struct parser *parser, struct node **ret_first, enum ending *ret_ending);

static int expect_close(struct parser *parser)
{
    return parser->token.kind == TOKEN_CLOSE ? 0 : refuse(parser, "unexpected word in command");
}

/* if, range and with: the keyword is the current token. */
static int parse_block(struct parser *parser, struct node *node)
{
    node->kind = token_is_name(parser, "if") ? NODE_IF : token_is_name(parser, "range") ? NODE_RANGE : NODE_WITH;
    enum ending ending = 0;
    if (++parser->depth > TEMPLATE_DEPTH_MAX) {
        return refuse(parser, "too deeply nested");
    }
    if (next_token(parser) < 0 || parse_declaration(parser, node) < 0 || expect_close(parser) < 0 ||
        parse_nodes(parser, &node->body, &ending) < 0) {
        return -1;
    }
    if (ending == ENDING_ELSE && parser->token.kind == TOKEN_NAME) {
        /* {{else if ...}}: a block inside the else branch, which the same {{end}} closes */
        node->otherwise = allocate(parser, sizeof(*node->otherwise));
        parser->depth--;
        return node->otherwise ? parse_block(parser, node->otherwise) : -1;
    }
    if (ending == ENDING_ELSE && (expect_close(parser) < 0 || parse_nodes(parser, &node->otherwise, &ending) < 0)) {
        return -1;
    }
    parser->depth--;
    return ending == ENDING_END ? 0 : refuse(parser, "missing {{end}}");
}

/* What is between {{ and }}: into `node`, or *ret_ending is set for end and else. An empty node is left out by the
 * caller. */
static int parse_action(struct parser *parser, struct node *node, enum ending *ret_ending)
{
    if (next_token(parser) < 0) {
        return -1;
    }
    if (token_is_name(parser, "end") || token_is_name(parser, "else")) {
        *ret_ending = token_is_name(parser, "end") ? ENDING_END : ENDING_ELSE;
        if (next_token(parser) < 0) {
            return -1;
        }
        return *ret_ending == ENDING_END ? expect_close(parser) : 0;
    }
    if (token_is_name(parser, "if") || token_is_name(parser, "range") || token_is_name(parser, "with")) {
        return parse_block(parser, node);
    }
    node->kind = NODE_PRINT;
    return parse_declaration(parser, node) < 0 ? -1 : expect_close(parser);
}

/* Text up to the next action or the end; *ret_action tells which. */
static int parse_text(struct parser *parser, struct node *node, bool *ret_action)
{
    const char *start = parser->at, *end = strstr(start, "{{");
    end = end ? end : start + strlen(start);
    parser->at = end;
    while (parser->trim_next && start < end && isspace((unsigned char)*start)) {
        start++;
    }
    bool trim = strncmp(end, "{{-", 3) == 0 && isspace((unsigned char)end[3]);
    while (trim && end > start && isspace((unsigned char)end[-1])) {
        end--;
    }
    node->kind = NODE_TEXT;
    node->text = copy(parser, start, (size_t)(end - start));
    parser->trim_next = false;
    *ret_action = *parser->at != '\0';
    parser->at += !*ret_action ? 0 : trim ? 3 : 2;
    return node->text ? 0 : -1;
}

static int skip_comment(struct parser *parser, bool *ret_skipped)
{
    const char *start = parser->at + strspn(parser->at, " \t\n");
    *ret_skipped = strncmp(start, "/*", 2) == 0;
    if (!*ret_skipped) {
        return 0;
    }
    const char *end = strstr(start, "*/");
    if (!end) {
        return refuse(parser, "unclosed comment");
    }
    parser->at = end + 2;
    return next_token(parser) < 0 ? -1 : expect_close(parser);
}

static int parse_nodes(struct parser *parser, struct node **ret_first, enum ending *ret_ending)
{
    struct node **slot = ret_first;
    *ret_ending = 0;
    while (!*ret_ending) {
        struct node *text = allocate(parser, sizeof(*text)), *action = NULL;
        bool is_action = false, is_comment = false;
        if (!text || parse_text(parser, text, &is_action) < 0) {
            return -1;
        }
        *slot = text;
        slot = &text->next;
        if (!is_action) {
            *ret_ending = ENDING_TEXT;
            break;
        }
        if (skip_comment(parser, &is_comment) < 0) {
            return -1;
        }
        if (is_comment) {
            continue;
        }
        action = allocate(parser, sizeof(*action));
        if (!action || parse_action(parser, action, ret_ending) < 0) {
            return -1;
        }
        if (!*ret_ending) {
            *slot = action;
            slot = &action->next;
        }
    }
    return 0;
}

int template_parse(const char *text, struct template **ret_template, struct bh_error *error)
{
    template_auto struct template *template = calloc(1, sizeof(*template));
    if (!template || !(template->literals = json_array())) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "out of memory");
    }
    struct parser parser = {.template = template, .at = text, .error = error};
    enum ending ending = 0;
    if (parse_nodes(&parser, &template->first, &ending) < 0) {
        return -1;
    }
    if (ending != ENDING_TEXT) {
        return refuse(&parser, ending == ENDING_END ? "unexpected {{end}}" : "unexpected {{else}}");
    }
    *ret_template = bh_steal_pointer(&template);
    return 0;
}

void template_free(struct template *template)
{
    if (!template) {
        return;
    }
    for (size_t i = 0; i < template->n_blocks; i++) {
        free(template->blocks[i]);
    }
    free(template->blocks);
    json_decref(template->literals);
    free(template);
}

void template_cleanup(struct template **template)
{
    template_free(*template);
}
