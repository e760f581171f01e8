/* SPDX-License-Identifier: Apache-2.0
 *
 * Shows the progress of a pull or load: one row per layer with a bar, redrawn in place on a terminal; elsewhere a plain
 * line whenever a layer reaches its next step.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "fields.h"
#include "human.h"
#include "json_stream.h"

#define ROWS_MAX 256 /* an image has at most 127 layers; what is beyond is not redrawn */
#define ID_BYTES 80

struct progress {
    FILE *stream;
    bool terminal, quiet;
    int columns;
    char (*ids)[ID_BYTES];
    size_t n_rows;
};

static void progress_free(struct progress *progress)
{
    free(progress->ids);
}

static void print_clean(const char *text, FILE *stream)
{
    for (; *text; text++) {
        unsigned char byte = (unsigned char)*text;
        (void)fputc(byte < 0x20 || byte == 0x7f ? '?' : byte, stream);
    }
}

/* "[=======>      ]  1.2MB/4.2MB" */
static void print_bar(const struct progress *progress, int64_t current, int64_t total)
{
    char done[HUMAN_BYTES], whole[HUMAN_BYTES];
    int width = progress->columns > 110 ? 50 : progress->columns >= 80 ? 25 : 0;
    if (total > 0 && width > 0) {
        int filled = current >= total ? width : (int)((double)current / (double)total * width);
        (void)fputc('[', progress->stream);
        for (int i = 0; i < width; i++) {
            (void)fputc(i < filled ? '=' : i == filled ? '>' : ' ', progress->stream);
        }
        (void)fputs("] ", progress->stream);
    }
    (void)human_size((uint64_t)(current > 0 ? current : 0), done);
    (void)human_size((uint64_t)(total > 0 ? total : 0), whole);
    (void)fprintf(progress->stream, "%8s%s%s", done, total > 0 ? "/" : "", total > 0 ? whole : "");
}

static size_t row_of(struct progress *progress, const char *id)
{
    size_t row = 0;
    while (row < progress->n_rows && strncmp(progress->ids[row], id, ID_BYTES - 1) != 0) {
        row++;
    }
    if (row == progress->n_rows && row < ROWS_MAX) {
        (void)snprintf(progress->ids[row], ID_BYTES, "%s", id);
        progress->n_rows++;
        (void)fputc('\n', progress->stream); /* a new row at the end; the cursor stays below all rows */
    }
    return row;
}

static void draw_row(struct progress *progress, const char *id, const json_t *message)
{
    size_t up = progress->n_rows - row_of(progress, id);
    up = up ? up : 1;
    (void)fprintf(progress->stream, "\033[%zuA\033[2K\r", up);
    print_clean(id, progress->stream);
    (void)fputs(": ", progress->stream);
    print_clean(field_text(message, "status"), progress->stream);
    if (field_integer(message, "progressDetail.current") > 0) {
        (void)fputc(' ', progress->stream);
        print_bar(progress, field_integer(message, "progressDetail.current"),
                  field_integer(message, "progressDetail.total"));
    }
    (void)fprintf(progress->stream, "\r\033[%zuB", up);
    (void)fflush(progress->stream);
}

static int show(void *argument, const json_t *message, struct bh_error *error)
{
    struct progress *progress = argument;
    const char *failure = field_text(message, "errorDetail.message");
    failure = *failure ? failure : field_text(message, "error");
    if (*failure) {
        return bh_error_set(error, BH_UNKNOWN, "%s", failure);
    }
    const char *id = field_text(message, "id"), *text = field_text(message, "stream");
    if (progress->quiet) {
        return 0;
    }
    if (*text) {
        (void)fputs(text, progress->stream);
        return 0;
    }
    if (!*field_text(message, "status")) {
        return 0;
    }
    bool moving = field_integer(message, "progressDetail.current") > 0;
    bool is_row = *id && strncmp(field_text(message, "status"), "Pulling from", 12) != 0;
    if (progress->terminal && is_row) {
        draw_row(progress, id, message);
    } else if (!moving) {
        print_clean(id, progress->stream);
        (void)fputs(*id ? ": " : "", progress->stream);
        print_clean(field_text(message, "status"), progress->stream);
        (void)fputc('\n', progress->stream);
        (void)fflush(progress->stream);
        progress->n_rows = 0;
    }
    return 0;
}

int json_stream_show(struct http_connection *connection, FILE *stream, bool quiet, struct bh_error *error)
{
    bh_cleanup(progress_free) struct progress progress = {.stream = stream, .quiet = quiet, .columns = 80};
    struct winsize size;
    progress.terminal = isatty(fileno(stream)) == 1;
    if (progress.terminal && ioctl(fileno(stream), TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
        progress.columns = size.ws_col;
    }
    progress.ids = calloc(ROWS_MAX, ID_BYTES);
    if (!progress.ids) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "out of memory");
    }
    return json_stream_read(connection, show, &progress, error);
}
