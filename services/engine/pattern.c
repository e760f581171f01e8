/* SPDX-License-Identifier: Apache-2.0
 *
 * See pattern.h. A pattern becomes a list of steps; all places in it that the text so far can have led to are followed
 * at once (Thompson's way), so that nothing is ever tried twice.
 */
#include "services/engine/pattern.h"

#include <string.h>

#define DEPTH_MAX 32

enum kind { STEP_BYTE = 1, STEP_ANY, STEP_SET, STEP_SPLIT, STEP_GO, STEP_START, STEP_END, STEP_FOUND };

struct reader {
    const char *at;
    struct pattern *pattern;
    int depth;
    bool failed;
};

static uint16_t add(struct reader *reader, enum kind kind)
{
    if (reader->pattern->n == PATTERN_STEPS_MAX) {
        reader->failed = true;
        return 0;
    }
    struct pattern_step *step = &reader->pattern->steps[reader->pattern->n];
    *step = (struct pattern_step){.kind = (uint8_t)kind, .next = (uint16_t)(reader->pattern->n + 1)};
    return (uint16_t)reader->pattern->n++;
}

static void set_byte(struct pattern_step *step, unsigned char byte)
{
    step->set[byte / 8] = (uint8_t)(step->set[byte / 8] | 1U << byte % 8);
}

/* \d, \w, \s and their opposites; false for any other letter, which stands for itself. */
static bool set_class(struct pattern_step *step, char letter)
{
    static const char *const members[] = {['d'] = "0123456789",
                                          ['s'] = " \t\n\r\f\v",
                                          ['w'] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"};
    char lower = (char)(letter | 0x20);
    if (lower != 'd' && lower != 's' && lower != 'w') {
        return false;
    }
    for (unsigned int byte = 1; byte < 256; byte++) {
        bool in = strchr(members[(unsigned char)lower], (int)byte) != NULL;
        if (in != (letter != lower)) {
            set_byte(step, (unsigned char)byte);
        }
    }
    return true;
}

/* Behind "[": up to "]". */
static void read_set(struct reader *reader)
{
    struct pattern_step set = {0};
    bool inverted = *reader->at == '^';
    reader->at += inverted;
    for (bool first = true; *reader->at && (first || *reader->at != ']'); first = false) {
        unsigned char low = (unsigned char)*reader->at++, high = low;
        if (low == '\\' && *reader->at) {
            low = high = (unsigned char)*reader->at++;
            if (set_class(&set, (char)low)) {
                continue;
            }
        }
        if (*reader->at == '-' && reader->at[1] && reader->at[1] != ']') {
            high = (unsigned char)reader->at[1];
            reader->at += 2;
        }
        for (unsigned int byte = low; byte <= high; byte++) {
            set_byte(&set, (unsigned char)byte);
        }
        reader->failed = reader->failed || high < low;
    }
    reader->failed = reader->failed || *reader->at != ']';
    reader->at += *reader->at == ']';
    struct pattern_step *step = &reader->pattern->steps[add(reader, STEP_SET)];
    for (size_t i = 0; i < sizeof set.set; i++) {
        step->set[i] = (uint8_t)(inverted ? ~set.set[i] : set.set[i]);
    }
}

static void read_choice(struct reader *reader);

/* One byte, class, anchor or group. */
static void read_atom(struct reader *reader)
{
    char byte = *reader->at++;
    uint16_t step;
    switch (byte) {
    case '.':
        (void)add(reader, STEP_ANY);
        return;
    case '^':
        (void)add(reader, STEP_START);
        return;
    case '$':
        (void)add(reader, STEP_END);
        return;
    case '[':
        read_set(reader);
        return;
    case '(':
        reader->at += strncmp(reader->at, "?:", 2) == 0 ? 2 : 0;
        reader->failed = reader->failed || ++reader->depth > DEPTH_MAX;
        if (!reader->failed) {
            read_choice(reader);
        }
        reader->depth--;
        reader->failed = reader->failed || *reader->at != ')';
        reader->at += *reader->at == ')';
        return;
    case '*':
    case '+':
    case '?':
    case '{':
        reader->failed = true; /* nothing to repeat, or a count */
        return;
    case '\\':
        byte = *reader->at;
        reader->failed = reader->failed || byte == '\0';
        reader->at += byte != '\0';
        step = add(reader, STEP_SET);
        if (!set_class(&reader->pattern->steps[step], byte)) {
            set_byte(&reader->pattern->steps[step], (unsigned char)byte);
        }
        return;
    default:
        step = add(reader, STEP_BYTE);
        reader->pattern->steps[step].byte = (uint8_t)byte;
    }
}

/* Makes room for one step at `at`; those behind move up. */
static void insert(struct reader *reader, uint16_t at, enum kind kind)
{
    struct pattern *pattern = reader->pattern;
    (void)add(reader, kind);
    if (reader->failed) {
        return;
    }
    memmove(&pattern->steps[at + 1], &pattern->steps[at], (pattern->n - 1 - at) * sizeof pattern->steps[0]);
    for (size_t i = at + 1U; i < pattern->n; i++) {
        pattern->steps[i].next = (uint16_t)(pattern->steps[i].next + (pattern->steps[i].next >= at));
        pattern->steps[i].other = (uint16_t)(pattern->steps[i].other + (pattern->steps[i].other >= at));
    }
    pattern->steps[at] = (struct pattern_step){.kind = (uint8_t)kind, .next = (uint16_t)(at + 1)};
}

static void read_repeated(struct reader *reader)
{
    uint16_t start = (uint16_t)reader->pattern->n;
    read_atom(reader);
    for (; !reader->failed && *reader->at && strchr("*+?", *reader->at); reader->at++) {
        if (*reader->at == '+') { /* once, then perhaps again */
            uint16_t split = add(reader, STEP_SPLIT);
            reader->pattern->steps[split].other = start;
            continue;
        }
        bool star = *reader->at == '*';
        insert(reader, start, STEP_SPLIT);
        if (star && !reader->failed) {
            uint16_t back = add(reader, STEP_GO);
            reader->pattern->steps[back].next = start;
        }
        if (!reader->failed) {
            reader->pattern->steps[start].other = (uint16_t)reader->pattern->n;
        }
    }
}

static void read_choice(struct reader *reader)
{
    uint16_t start = (uint16_t)reader->pattern->n;
    uint16_t leave[PATTERN_STEPS_MAX / 2];
    size_t n_leave = 0;
    for (;;) {
        while (!reader->failed && *reader->at && *reader->at != '|' && *reader->at != ')') {
            read_repeated(reader);
        }
        if (reader->failed || *reader->at != '|' || n_leave == sizeof leave / sizeof leave[0]) {
            reader->failed = reader->failed || *reader->at == '|';
            break;
        }
        reader->at++;
        insert(reader, start, STEP_SPLIT); /* this one, or what follows */
        leave[n_leave++] = add(reader, STEP_GO);
        if (reader->failed) {
            break;
        }
        reader->pattern->steps[start].other = (uint16_t)reader->pattern->n;
        start = (uint16_t)reader->pattern->n;
    }
    for (size_t i = 0; i < n_leave && !reader->failed; i++) {
        reader->pattern->steps[leave[i]].next = (uint16_t)reader->pattern->n;
    }
}

int pattern_compile(const char *text, struct pattern *ret_pattern, struct bh_error *error)
{
    struct reader reader = {.at = text, .pattern = ret_pattern};
    ret_pattern->n = 0;
    read_choice(&reader);
    (void)add(&reader, STEP_FOUND);
    return reader.failed || *reader.at
               ? bh_error_set(error, BH_INVALID_ARGUMENT, "\"%.64s\" is no regular expression that is understood here",
                              text)
               : 0;
}

/* ---- matching --------------------------------------------------------------------------------------------- */

struct places {
    uint16_t list[PATTERN_STEPS_MAX];
    size_t n;
    bool has[PATTERN_STEPS_MAX];
};

/* Adds a place, and those that are reached from it without reading. The list itself is the stack: nothing is twice in
 * it.
 */
static void reach(const struct pattern *pattern, struct places *places, uint16_t place, bool at_start, bool at_end)
{
    uint16_t waiting[2 * PATTERN_STEPS_MAX];
    size_t n = 0;
    waiting[n++] = place;
    while (n > 0) {
        uint16_t now = waiting[--n];
        if (now >= pattern->n || places->has[now]) {
            continue;
        }
        const struct pattern_step *step = &pattern->steps[now];
        places->has[now] = true;
        places->list[places->n++] = now;
        if (step->kind == STEP_SPLIT) {
            waiting[n++] = step->other;
        }
        if (step->kind == STEP_SPLIT || step->kind == STEP_GO || (step->kind == STEP_START && at_start) ||
            (step->kind == STEP_END && at_end)) {
            waiting[n++] = step->next;
        }
    }
}

static bool takes(const struct pattern_step *step, unsigned char byte)
{
    return step->kind == STEP_ANY || (step->kind == STEP_BYTE && step->byte == byte) ||
           (step->kind == STEP_SET && step->set[byte / 8] & 1U << byte % 8);
}

bool pattern_finds(const struct pattern *pattern, const char *text)
{
    struct places now = {0};
    for (const char *at = text;; at++) {
        struct places then = {0};
        reach(pattern, &now, 0, at == text, *at == '\0'); /* it may begin anywhere */
        for (size_t i = 0; i < now.n; i++) {
            const struct pattern_step *step = &pattern->steps[now.list[i]];
            if (step->kind == STEP_FOUND) {
                return true;
            }
            if (*at && takes(step, (unsigned char)*at)) {
                reach(pattern, &then, step->next, false, at[1] == '\0');
            }
        }
        if (!*at) {
            return false;
        }
        now = then;
    }
}
