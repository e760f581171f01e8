/* SPDX-License-Identifier: Apache-2.0
 *
 * See ps_format.h. Columns are a table; their forms are those of procps.
 */
#include "ps_format.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define TICKS_PER_S    100 /* USER_HZ, on every architecture that is supported */
#define PAGE_BYTES     4096ULL
#define ARGUMENT_BYTES 1024
#define DAY_S          86400

struct cell {
    const struct process *process;
    const struct process_list *list;
    const struct api *api;
    int64_t now_s;
    char *text;
};

struct ps_column {
    const char *name, *title;
    void (*write)(const struct cell *cell);
};

/* ---- cells ---------------------------------------------------------------------------------------------- */

#define NUMBER(function, format, value)                                                                                \
    static void function(const struct cell *cell)                                                                      \
    {                                                                                                                  \
        (void)snprintf(cell->text, PS_TEXT_SIZE, format, value);                                                       \
    }
NUMBER(cell_pid, "%d", cell->process->pid)
NUMBER(cell_ppid, "%d", cell->process->ppid)
NUMBER(cell_pgid, "%d", cell->process->pgrp)
NUMBER(cell_sid, "%d", cell->process->session)
NUMBER(cell_uid, "%u", cell->process->uid)
NUMBER(cell_gid, "%u", cell->process->gid)
NUMBER(cell_nice, "%d", cell->process->nice)
NUMBER(cell_priority, "%d", 39 - cell->process->priority)
NUMBER(cell_threads, "%u", cell->process->threads)
NUMBER(cell_processor, "%u", cell->process->processor)
NUMBER(cell_state, "%c", cell->process->state)
NUMBER(cell_virtual, "%llu", (unsigned long long)(cell->process->virtual_bytes / 1024))
NUMBER(cell_resident, "%llu", (unsigned long long)(cell->process->resident_pages *PAGE_BYTES / 1024))
NUMBER(cell_pages, "%llu", (unsigned long long)(cell->process->virtual_bytes / PAGE_BYTES))

/* Accounts of the host are not read here: numbers, but for root. */
static void cell_user(const struct cell *cell)
{
    if (cell->process->uid == 0) {
        (void)snprintf(cell->text, PS_TEXT_SIZE, "root");
    } else {
        cell_uid(cell);
    }
}

static void cell_group(const struct cell *cell)
{
    if (cell->process->gid == 0) {
        (void)snprintf(cell->text, PS_TEXT_SIZE, "root");
    } else {
        cell_gid(cell);
    }
}

static double age_s(const struct cell *cell)
{
    double age = cell->list->uptime_s - (double)cell->process->start_ticks / TICKS_PER_S;
    return age > 0 ? age : 0;
}

static double cpu_share(const struct cell *cell)
{
    double age = age_s(cell);
    return age > 0 ? (double)cell->process->cpu_ticks / TICKS_PER_S / age * 100 : 0;
}

NUMBER(cell_cpu, "%.1f", cpu_share(cell))
NUMBER(cell_cpu_whole, "%d", (int)cpu_share(cell))
NUMBER(cell_elapsed_seconds, "%lld", (long long)age_s(cell))
NUMBER(cell_memory, "%.1f",
       cell->api->memory_bytes
           ? (double)(cell->process->resident_pages *PAGE_BYTES) * 100 / (double)cell->api->memory_bytes
           : 0)

static void cell_terminal(const struct cell *cell)
{
    unsigned int device = (unsigned int)cell->process->tty, major = device >> 8 & 0xfff,
                 minor = (device & 0xff) | (device >> 12 & 0xfff00);
    if (major >= 136 && major <= 143) {
        (void)snprintf(cell->text, PS_TEXT_SIZE, "pts/%u", minor + (major - 136) * 256);
    } else if (major == 4 && minor < 64) {
        (void)snprintf(cell->text, PS_TEXT_SIZE, "tty%u", minor);
    } else {
        (void)snprintf(cell->text, PS_TEXT_SIZE, "?");
    }
}

static void cell_stat(const struct cell *cell)
{
    const struct process *process = cell->process;
    (void)snprintf(cell->text, PS_TEXT_SIZE, "%c%s%s%s%s%s", process->state,
                   process->nice < 0   ? "<"
                   : process->nice > 0 ? "N"
                                       : "",
                   process->locked ? "L" : "", process->session == process->pid ? "s" : "",
                   process->threads > 1 ? "l" : "", process->foreground == process->pgrp ? "+" : "");
}

/* "[dd-]hh:mm:ss" */
static void write_long(char *text, uint64_t seconds, bool hours_always)
{
    unsigned long long days = seconds / DAY_S;
    unsigned int hours = (unsigned int)(seconds / 3600 % 24), minutes = (unsigned int)(seconds / 60 % 60),
                 rest = (unsigned int)(seconds % 60);
    if (days > 0) {
        (void)snprintf(text, PS_TEXT_SIZE, "%llu-%02u:%02u:%02u", days, hours, minutes, rest);
    } else if (hours > 0 || hours_always) {
        (void)snprintf(text, PS_TEXT_SIZE, "%02u:%02u:%02u", hours, minutes, rest);
    } else {
        (void)snprintf(text, PS_TEXT_SIZE, "%02u:%02u", minutes, rest);
    }
}

static void cell_time(const struct cell *cell)
{
    write_long(cell->text, cell->process->cpu_ticks / TICKS_PER_S, true);
}

static void cell_elapsed(const struct cell *cell)
{
    write_long(cell->text, (uint64_t)age_s(cell), false);
}

static void cell_time_short(const struct cell *cell)
{
    unsigned long long seconds = cell->process->cpu_ticks / TICKS_PER_S;
    (void)snprintf(cell->text, PS_TEXT_SIZE, "%llu:%02llu", seconds / 60, seconds % 60);
}

static time_t start_time(const struct cell *cell)
{
    return (time_t)(cell->list->boot_s + (int64_t)(cell->process->start_ticks / TICKS_PER_S));
}

/* Times are UTC: a container engine's helper has no time zone. */
static void write_start(const struct cell *cell, const char *today, const char *this_year, const char *earlier)
{
    time_t start = start_time(cell), now = (time_t)cell->now_s;
    struct tm then, present;
    if (!gmtime_r(&start, &then) || !gmtime_r(&now, &present)) {
        (void)snprintf(cell->text, PS_TEXT_SIZE, "-");
        return;
    }
    const char *format = then.tm_year != present.tm_year   ? earlier
                         : then.tm_yday != present.tm_yday ? this_year
                                                           : today;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    if (strftime(cell->text, 32, format, &then) == 0) {
        cell->text[0] = '\0';
    }
#pragma GCC diagnostic pop
}

static void cell_start(const struct cell *cell)
{
    write_start(cell, "%H:%M", "%b%d", "%Y");
}

static void cell_started(const struct cell *cell)
{
    write_start(cell, "%H:%M:%S", "%b %d", "%Y");
}

static void cell_started_whole(const struct cell *cell)
{
    static const char whole[] = "%a %b %e %H:%M:%S %Y";
    write_start(cell, whole, whole, whole);
}

static void cell_name(const struct cell *cell)
{
    (void)snprintf(cell->text, PS_TEXT_SIZE, "%.*s", (int)cell->process->name_bytes, cell->process->name);
}

/* Arguments with spaces between them; what is no text becomes a question mark, as with ps. */
static void cell_command(const struct cell *cell)
{
    const struct process *process = cell->process;
    size_t n = process->command_bytes;
    while (n > 0 && process->command[n - 1] == '\0') {
        n--;
    }
    if (n == 0) { /* a kernel thread, a zombie, or one that has taken its arguments away */
        (void)snprintf(cell->text, PS_TEXT_SIZE, "[%.*s]%s", (int)process->name_bytes, process->name,
                       process->state == 'Z' ? " <defunct>" : "");
        return;
    }
    for (size_t i = 0; i < n; i++) {
        unsigned char byte = (unsigned char)process->command[i];
        cell->text[i] = byte == '\0' ? ' ' : byte < 0x20 || byte == 0x7f ? '?' : (char)byte;
    }
    cell->text[n] = '\0';
}

static void cell_nothing(const struct cell *cell)
{
    (void)snprintf(cell->text, PS_TEXT_SIZE, "-");
}

/* ---- columns ---------------------------------------------------------------------------------------------- */

static const struct ps_column columns[] = {
    {"pid", "PID", cell_pid},
    {"ppid", "PPID", cell_ppid},
    {"pgid", "PGID", cell_pgid},
    {"pgrp", "PGRP", cell_pgid},
    {"sid", "SID", cell_sid},
    {"sess", "SESS", cell_sid},
    {"session", "SESS", cell_sid},
    {"uid", "UID", cell_uid},
    {"euid", "EUID", cell_uid},
    {"gid", "GID", cell_gid},
    {"egid", "EGID", cell_gid},
    {"user", "USER", cell_user},
    {"euser", "EUSER", cell_user},
    {"uname", "USER", cell_user},
    {"ruser", "RUSER", cell_user},
    {"group", "GROUP", cell_group},
    {"egroup", "EGROUP", cell_group},
    {"comm", "COMMAND", cell_name},
    {"ucmd", "CMD", cell_name},
    {"ucomm", "COMMAND", cell_name},
    {"args", "COMMAND", cell_command},
    {"command", "COMMAND", cell_command},
    {"cmd", "CMD", cell_command},
    {"time", "TIME", cell_time},
    {"cputime", "TIME", cell_time},
    {"bsdtime", "TIME", cell_time_short},
    {"etime", "ELAPSED", cell_elapsed},
    {"etimes", "ELAPSED", cell_elapsed_seconds},
    {"stime", "STIME", cell_start},
    {"start_time", "START", cell_start},
    {"bsdstart", "START", cell_start},
    {"start", "STARTED", cell_started},
    {"lstart", "STARTED", cell_started_whole},
    {"rss", "RSS", cell_resident},
    {"rssize", "RSS", cell_resident},
    {"vsz", "VSZ", cell_virtual},
    {"vsize", "VSZ", cell_virtual},
    {"sz", "SZ", cell_pages},
    {"stat", "STAT", cell_stat},
    {"s", "S", cell_state},
    {"state", "S", cell_state},
    {"tty", "TT", cell_terminal},
    {"tt", "TT", cell_terminal},
    {"tname", "TTY", cell_terminal},
    {"pcpu", "%CPU", cell_cpu},
    {"%cpu", "%CPU", cell_cpu},
    {"c", "C", cell_cpu_whole},
    {"pmem", "%MEM", cell_memory},
    {"%mem", "%MEM", cell_memory},
    {"ni", "NI", cell_nice},
    {"nice", "NI", cell_nice},
    {"pri", "PRI", cell_priority},
    {"nlwp", "NLWP", cell_threads},
    {"thcount", "THCNT", cell_threads},
    {"psr", "PSR", cell_processor},
    {"wchan", "WCHAN", cell_nothing},
};

/* The forms with a name of their own, as lists. */
static const struct {
    const char *argument, *list;
} forms[] = {
    {"f", "user=UID,pid,ppid,c,stime,tname,time,cmd"},
    {"F", "user=UID,pid,ppid,c,sz,rss,psr,stime,tname,time,cmd"},
    {"u", "user,pid,%cpu,%mem,vsz,rss,tname,stat,start_time,bsdtime,args"},
};

static const struct ps_column *find_column(const char *name, size_t length)
{
    for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
        if (strlen(columns[i].name) == length && strncasecmp(columns[i].name, name, length) == 0) {
            return &columns[i];
        }
    }
    return NULL;
}

/* Adds "pid,comm=NAME" to the format. */
static int add_list(struct ps_format *format, const char *list, struct bh_error *error)
{
    for (const char *item = list; *item;) {
        size_t length = strcspn(item, ","), name = strcspn(item, "=,");
        const struct ps_column *column = find_column(item, name);
        if (!column || format->n == PS_COLUMNS_MAX) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "ps: error: unknown user-defined format specifier \"%.*s\"",
                                (int)(name > 64 ? 64 : name), item);
        }
        size_t title = length > name ? length - name - 1 : 0;
        (void)snprintf(format->titles[format->n], sizeof(format->titles[0]), "%.*s",
                       (int)(title ? title : strlen(column->title)), title ? item + name + 1 : column->title);
        format->columns[format->n++] = column;
        item += length;
        item += *item == ',';
    }
    return 0;
}

/* One word: letters that choose processes mean nothing here, since the container's are shown; the last may be o, whose
 * list is the rest or the next word. */
static int add_word(struct ps_format *format, const char *word, const char *next, bool *ret_took_next,
                    struct bh_error *error)
{
    *ret_took_next = false;
    for (const char *letter = word + (*word == '-'); *letter; letter++) {
        if (*letter == 'o') {
            const char *list = letter[1] ? letter + 1 : next;
            *ret_took_next = !letter[1];
            return list ? add_list(format, list, error)
                        : bh_error_set(error, BH_INVALID_ARGUMENT, "ps: error: format specification must follow -o");
        }
        size_t form = 0;
        while (form < sizeof(forms) / sizeof(forms[0]) && forms[form].argument[0] != *letter) {
            form++;
        }
        if (form < sizeof(forms) / sizeof(forms[0])) {
            format->n = 0;
            if (add_list(format, forms[form].list, error) < 0) {
                return -1;
            }
        } else if (!strchr("aexwAd", *letter)) {
            return bh_error_set(
                error, BH_INVALID_ARGUMENT,
                "ps: error: unsupported option \"%.64s\": -ef, -F, aux and -o with a list of columns are "
                "known",
                word);
        }
    }
    return 0;
}

int ps_parse(const char *arguments, struct ps_format *ret_format, struct bh_error *error)
{
    char copy[ARGUMENT_BYTES];
    char *words[32], *rest = copy, *word;
    size_t n = 0;
    *ret_format = (struct ps_format){0};
    if (snprintf(copy, sizeof(copy), "%s", arguments) >= (int)sizeof(copy)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "ps_args is longer than %d bytes", ARGUMENT_BYTES - 1);
    }
    while ((word = strsep(&rest, " \t")) != NULL && n < sizeof(words) / sizeof(words[0])) {
        if (*word) {
            words[n++] = word;
        }
    }
    for (size_t i = 0; i < n; i++) {
        bool took_next;
        if (add_word(ret_format, words[i], i + 1 < n ? words[i + 1] : NULL, &took_next, error) < 0) {
            return -1;
        }
        i += took_next;
    }
    if (ret_format->n == 0 && add_list(ret_format, forms[0].list, error) < 0) {
        return -1;
    }
    for (size_t i = 0; i < ret_format->n; i++) {
        if (strcmp(ret_format->titles[i], "PID") == 0) {
            return 0;
        }
    }
    return bh_error_set(error, BH_INVALID_ARGUMENT, "Couldn't find PID field in ps output");
}

const char *ps_cell(const struct ps_format *format, size_t column, const struct process *process,
                    const struct process_list *list, const struct api *api, int64_t now_s,
                    char text[static PS_TEXT_SIZE])
{
    const struct cell cell = {.process = process, .list = list, .api = api, .now_s = now_s, .text = text};
    text[0] = '\0';
    format->columns[column]->write(&cell);
    return text;
}
