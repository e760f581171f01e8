/* SPDX-License-Identifier: Apache-2.0
 *
 * Walks a parsed template over one JSON value and writes the result.
 */
#include "template.h"

#include <ctype.h>
#include <string.h>

#include "fields.h"
#include "template_tree.h"

#define VARIABLES_MAX 64

struct renderer {
    json_t *root, *dot;
    FILE *stream;
    struct {
        const char *name;
        json_t *value; /* owned */
    } variables[VARIABLES_MAX];
    size_t n_variables;
    struct bh_error *error;
};

static json_t *evaluate(struct renderer *renderer, const struct expression *expression);

static json_t *refuse(struct renderer *renderer, const char *what, const char *name)
{
    (void)bh_error_set(renderer->error, BH_INVALID_ARGUMENT, "template: %s \"%s\"", what, name);
    return NULL;
}

static json_t *find_variable(struct renderer *renderer, const char *name)
{
    if (!*name) {
        return json_incref(renderer->root);
    }
    for (size_t i = renderer->n_variables; i > 0; i--) {
        if (strcmp(renderer->variables[i - 1].name, name) == 0) {
            return json_incref(renderer->variables[i - 1].value);
        }
    }
    return refuse(renderer, "undefined variable", name);
}

/* Takes over `value`. */
static int declare(struct renderer *renderer, const char *name, json_t *value)
{
    if (!name || !value) {
        json_decref(value);
        return 0;
    }
    if (renderer->n_variables == VARIABLES_MAX) {
        json_decref(value);
        (void)refuse(renderer, "too many variables at", name);
        return -1;
    }
    renderer->variables[renderer->n_variables].name = name;
    renderer->variables[renderer->n_variables++].value = value;
    return 0;
}

static void forget_variables(struct renderer *renderer, size_t n_kept)
{
    while (renderer->n_variables > n_kept) {
        json_decref(renderer->variables[--renderer->n_variables].value);
    }
}

static json_t *call(struct renderer *renderer, const struct expression *expression)
{
    json_t *arguments[TEMPLATE_ARGUMENTS_MAX] = {NULL}, *result = NULL;
    size_t n_arguments = 0;
    while (n_arguments < expression->n_arguments) {
        arguments[n_arguments] = evaluate(renderer, expression->arguments[n_arguments]);
        if (!arguments[n_arguments]) {
            break;
        }
        n_arguments++;
    }
    if (n_arguments == expression->n_arguments) {
        result = expression->function->call(arguments, n_arguments, renderer->error);
    }
    for (size_t i = 0; i < n_arguments; i++) {
        json_decref(arguments[i]);
    }
    return result;
}

/* A new reference to the value, or NULL with the error set. */
static json_t *evaluate(struct renderer *renderer, const struct expression *expression)
{
    json_auto json_t *value = NULL;
    switch (expression->kind) {
    case EXPRESSION_LITERAL:
        value = json_incref(expression->literal);
        break;
    case EXPRESSION_DOT:
        value = json_incref(renderer->dot);
        break;
    case EXPRESSION_VARIABLE:
        value = find_variable(renderer, expression->name);
        break;
    case EXPRESSION_CALL:
        value = call(renderer, expression);
        break;
    }
    for (size_t i = 0; value && i < expression->n_fields; i++) {
        const char *name = expression->fields[i];
        json_t *field = json_object_get(value, name);
        if (!field && json_is_object(value) && islower((unsigned char)*name)) {
            field = json_null(); /* the fields of Go's structs are capital: this is a map, like labels */
        }
        if (!field) {
            return refuse(renderer, json_is_object(value) ? "no such field:" : "not an object, so it has no field",
                          name);
        }
        json_incref(field);
        json_decref(value);
        value = field;
    }
    return bh_steal_pointer(&value);
}

static int render_nodes(struct renderer *renderer, const struct node *node);

static int render_with_dot(struct renderer *renderer, const struct node *body, json_t *dot)
{
    json_t *outer = renderer->dot;
    renderer->dot = dot;
    int result = render_nodes(renderer, body);
    renderer->dot = outer;
    return result;
}

static int render_element(struct renderer *renderer, const struct node *node, json_t *key, json_t *element)
{
    size_t n_variables = renderer->n_variables;
    bool two = node->variables[1] != NULL;
    const char *element_name = two ? node->variables[1] : node->variables[0];
    int result = -1;
    if (declare(renderer, two ? node->variables[0] : NULL, key) == 0 &&
        declare(renderer, element_name, json_incref(element)) == 0) {
        result = render_with_dot(renderer, node->body, element);
    }
    forget_variables(renderer, n_variables);
    return result;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Go visits maps in the order of their keys. */
static int render_object(struct renderer *renderer, const struct node *node, json_t *object)
{
    size_t count = json_object_size(object), at = 0;
    bh_autofree const char **keys = calloc(count + 1, sizeof(*keys));
    const char *key;
    json_t *element;
    if (!keys) {
        return bh_error_set(renderer->error, BH_RESOURCE_EXHAUSTED, "out of memory");
    }
    json_object_foreach(object, key, element)
    {
        keys[at++] = key;
    }
    qsort(keys, count, sizeof(*keys), compare_names);
    for (at = 0; at < count; at++) {
        if (render_element(renderer, node, json_string(keys[at]), json_object_get(object, keys[at])) < 0) {
            return -1;
        }
    }
    return 0;
}

static int render_range(struct renderer *renderer, const struct node *node, json_t *value)
{
    if (!template_truth(value)) {
        return render_nodes(renderer, node->otherwise);
    }
    if (json_is_object(value)) {
        return render_object(renderer, node, value);
    }
    if (!json_is_array(value)) {
        (void)refuse(renderer, "range can't iterate over",
                     json_is_string(value) ? json_string_value(value) : "a scalar");
        return -1;
    }
    for (size_t i = 0; i < json_array_size(value); i++) {
        if (render_element(renderer, node, json_integer((json_int_t)i), json_array_get(value, i)) < 0) {
            return -1;
        }
    }
    return 0;
}

static int render_node(struct renderer *renderer, const struct node *node)
{
    if (node->kind == NODE_TEXT) {
        (void)fputs(node->text, renderer->stream);
        return 0;
    }
    json_auto json_t *value = evaluate(renderer, node->expression);
    if (!value) {
        return -1;
    }
    if (node->kind == NODE_RANGE) {
        return render_range(renderer, node, value);
    }
    if (node->kind == NODE_PRINT) {
        if (node->variables[0]) {
            return declare(renderer, node->variables[0], json_incref(value));
        }
        template_print_value(value, renderer->stream);
        return 0;
    }
    size_t n_variables = renderer->n_variables;
    bool truth = template_truth(value);
    int result = declare(renderer, node->variables[0], json_incref(value));
    if (result == 0) {
        const struct node *branch = truth ? node->body : node->otherwise;
        bool new_dot = truth && node->kind == NODE_WITH;
        result = new_dot ? render_with_dot(renderer, branch, value) : render_nodes(renderer, branch);
    }
    forget_variables(renderer, n_variables);
    return result;
}

static int render_nodes(struct renderer *renderer, const struct node *node)
{
    for (; node; node = node->next) {
        if (render_node(renderer, node) < 0) {
            return -1;
        }
    }
    return 0;
}

int template_render(const struct template *template, json_t *data, FILE *stream, struct bh_error *error)
{
    struct renderer renderer = {.root = data, .dot = data, .stream = stream, .error = error};
    int result = render_nodes(&renderer, template->first);
    forget_variables(&renderer, 0);
    return result;
}
