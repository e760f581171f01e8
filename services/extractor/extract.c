/* SPDX-License-Identifier: Apache-2.0
 *
 * See extract.h. Puts the parts together: input -> decompressor -> pipeline (hash beside it) -> reader -> tree and
 * image -> layout.
 */
#include "extract.h"

#include <errno.h>
#include <sys/eventfd.h>

#include "erofs_layout.h"
#include "layer_reader.h"
#include "bounds.h"

struct ticker {
    const struct input *input;
    uint64_t told_bytes;
    void (*progress)(void *argument, uint64_t compressed_bytes);
    void *argument;
};

static int tick(void *argument, struct bh_error *error)
{
    (void)error;
    struct ticker *ticker = argument;
    uint64_t consumed = atomic_load_explicit(&ticker->input->consumed_bytes, memory_order_relaxed);
    if (consumed - ticker->told_bytes >= EXTRACTOR_PROGRESS_BYTES) {
        ticker->told_bytes = consumed;
        ticker->progress(ticker->argument, consumed);
    }
    return 0;
}

int extract_layer(int source_fd, int image_fd, const struct job_end *end,
                  void (*progress)(void *argument, uint64_t compressed_bytes), void *argument,
                  struct extract_result *ret_result, struct bh_error *error)
{
    bh_autoclose int stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (stop_fd < 0) {
        return bh_error_errno(error, errno, "make an eventfd");
    }
    struct job_end stoppable = *end;
    stoppable.stop_fd = stop_fd;
    bh_autoinput struct input input = {0};
    bh_autodecompressor struct decompressor *decompressor = NULL;
    bh_autolayertree struct layer_tree *tree = NULL;
    bh_autoimage struct erofs_image image = {0};
    bh_autopipeline struct pipeline *pipeline = NULL; /* the last: freed first */
    if (input_open(source_fd, &stoppable, &input, error) < 0 ||
        decompressor_open(&input, BH_LAYER_BYTES_MAX, &decompressor, error) < 0 || layer_tree_new(&tree, error) < 0 ||
        erofs_image_open(image_fd, &image, error) < 0 || pipeline_start(decompressor, stop_fd, &pipeline, error) < 0) {
        return -1;
    }
    struct ticker ticker = {.input = &input, .progress = progress, .argument = argument};
    struct layer_reader_result read;
    struct erofs_summary summary;
    if (layer_reader_run(pipeline, tree, &image, tick, &ticker, &read, error) < 0 ||
        pipeline_finish(pipeline, &ret_result->diff_id, &ret_result->uncompressed_bytes, error) < 0 ||
        erofs_layout_write(tree, &image, &summary, error) < 0) {
        return -1;
    }
    ret_result->entries = read.entries;
    ret_result->image_bytes = summary.image_bytes;
    return 0;
}
