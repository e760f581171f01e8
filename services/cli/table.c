/* SPDX-License-Identifier: Apache-2.0
 *
 * Formats and alignment for lists. Text that came from images (names, commands, labels) is printed with its control
 * characters replaced: a terminal obeys those.
 */
#include "table.h"

#include <stdlib.h>
#include <string.h>

#include "fields.h"
#include "string_list.h"
#include "template.h"

#define COLUMNS_MAX      32
#define COLUMN_WIDTH_MIN 10
#define COLUMN_PADDING   3

/* Characters, not bytes: UTF-8 continuation bytes take no room. */
static size_t width_of(const char *text, size_t n_bytes)
{
    size_t width = 0;
    for (size_t i = 0; i < n_bytes; i++) {
        width += ((unsigned char)text[i] & 0xc0) != 0x80;
    }
    return width;
}

/* Widest cell of each column that has another one to its right. */
static void measure(const char *text, size_t widths[static COLUMNS_MAX])
{
    for (const char *line = text; *line;) {
        size_t column = 0, n_cell = strcspn(line, "\t\n");
        while (line[n_cell] == '\t' && column < COLUMNS_MAX) {
            size_t width = width_of(line, n_cell);
            widths[column] = width > widths[column] ? width : widths[column];
            column++;
            line += n_cell + 1;
            n_cell = strcspn(line, "\t\n");
        }
        line += strcspn(line, "\n");
        line += *line == '\n';
    }
}

static void print_cell(const char *cell, size_t n_bytes, FILE *stream)
{
    for (size_t i = 0; i < n_bytes; i++) {
        unsigned char byte = (unsigned char)cell[i];
        (void)fputc(byte < 0x20 || byte == 0x7f ? '?' : byte, stream);
    }
}

void table_print_clean(const char *text, FILE *stream)
{
    print_cell(text, strlen(text), stream);
}

void table_align(const char *text, FILE *stream)
{
    table_align_to(text, COLUMN_WIDTH_MIN, stream);
}

void table_align_to(const char *text, size_t width_min, FILE *stream)
{
    size_t widths[COLUMNS_MAX] = {0};
    measure(text, widths);
    for (const char *line = text; *line;) {
        for (size_t column = 0;; column++) {
            size_t n_cell = strcspn(line, "\t\n");
            print_cell(line, n_cell, stream);
            if (line[n_cell] != '\t' || column >= COLUMNS_MAX) {
                line += n_cell;
                break;
            }
            size_t room = widths[column] + COLUMN_PADDING;
            room = room < width_min ? width_min : room;
            (void)fprintf(stream, "%*s", (int)(room - width_of(line, n_cell)), "");
            line += n_cell + 1;
        }
        (void)fputc('\n', stream);
        line += *line == '\n';
    }
}

/* In a format on the command line, \t and \n are written as two characters. */
static char *unescape(const char *format)
{
    char *text = strdup(format), *out = text;
    for (const char *in = text; text && *in;) {
        if (in[0] == '\\' && (in[1] == 't' || in[1] == 'n')) {
            *out++ = in[1] == 't' ? '\t' : '\n';
            in += 2;
        } else {
            *out++ = *in++;
        }
    }
    if (text) {
        *out = '\0';
    }
    return text;
}

static int render_line(const struct template *template, json_t *data, FILE *stream, struct bh_error *error)
{
    if (template_render(template, data, stream, error) < 0) {
        return -1;
    }
    (void)fputc('\n', stream);
    return 0;
}

static int render_rows(const struct template *template, const json_t *rows, FILE *stream, struct bh_error *error)
{
    for (size_t i = 0; i < json_array_size(rows); i++) {
        if (render_line(template, json_array_get(rows, i), stream, error) < 0) {
            return -1;
        }
    }
    return 0;
}

static int print_aligned(const struct template *template, const struct table *table, const json_t *rows, FILE *stream,
                         struct bh_error *error)
{
    char *text = NULL;
    size_t n_text = 0;
    FILE *memory = open_memstream(&text, &n_text);
    if (!memory) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "out of memory");
    }
    int result = render_line(template, table->headings, memory, error);
    if (result == 0) {
        result = render_rows(template, rows, memory, error);
    }
    (void)fclose(memory);
    if (result == 0) {
        table_align(text, stream);
    }
    free(text);
    return result;
}

static void print_json(json_t *value, FILE *stream)
{
    (void)json_dumpf(value, stream, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
    (void)fputc('\n', stream);
}

static const char *sort_field;

static int by_field(const void *left, const void *right)
{
    return strcmp(field_text(*(json_t *const *)left, sort_field), field_text(*(json_t *const *)right, sort_field));
}

int table_sort(json_t *rows, const char *field, struct bh_error *error)
{
    size_t count = json_array_size(rows);
    bh_autofree json_t **sorted = calloc(count + 1, sizeof(json_t *));
    if (!sorted) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "out of memory");
    }
    for (size_t i = 0; i < count; i++) {
        sorted[i] = json_incref(json_array_get(rows, i));
    }
    sort_field = field;
    qsort(sorted, count, sizeof(json_t *), by_field);
    (void)json_array_clear(rows);
    for (size_t i = 0; i < count; i++) {
        (void)json_array_append_new(rows, sorted[i]);
    }
    return 0;
}

json_t *table_headings(const struct table_heading *headings)
{
    json_t *object = json_object();
    for (; object && headings->field; headings++) {
        (void)json_object_set_new(object, headings->field, json_string(headings->heading));
    }
    return object;
}

int table_print(const struct table *table, const json_t *rows, FILE *stream, struct bh_error *error)
{
    const char *format = table->format ? table->format : "table";
    if (strcmp(format, "json") == 0) {
        for (size_t i = 0; i < json_array_size(rows); i++) {
            print_json(json_array_get(rows, i), stream);
        }
        return 0;
    }
    bool aligned = strings_begins(format, "table");
    const char *own = aligned ? format + strlen("table") : format;
    own += aligned ? strspn(own, " ") : 0;
    bool quiet = table->quiet && (!table->format || (aligned && !*own));
    bh_autofree char *text = unescape(quiet ? table->quiet_columns : *own ? own : table->columns);
    template_auto struct template *template = NULL;
    if (!text) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "out of memory");
    }
    if (template_parse(text, &template, error) < 0) {
        return -1;
    }
    return aligned && !quiet ? print_aligned(template, table, rows, stream, error)
                             : render_rows(template, rows, stream, error);
}

int table_print_object(const char *format, json_t *object, FILE *stream, struct bh_error *error)
{
    if (strcmp(format, "json") == 0) {
        (void)json_dumpf(object, stream, JSON_COMPACT | JSON_ENCODE_ANY);
        (void)fputc('\n', stream);
        return 0;
    }
    bh_autofree char *text = unescape(format);
    template_auto struct template *template = NULL;
    if (!text) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "out of memory");
    }
    return template_parse(text, &template, error) < 0 ? -1 : render_line(template, object, stream, error);
}
