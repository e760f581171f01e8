/* SPDX-License-Identifier: Apache-2.0
 *
 * GET /images/get and /images/{name}/get: images as one archive. The engine writes it; here it only passes through.
 */
#include <stdlib.h>
#include <string.h>

#include "handlers.h"
#include "pipe_stream.h"

static int save(struct request *request, char **references, size_t n_references, struct bh_error *error)
{
    Bulkhead__SaveImages question = BULKHEAD__SAVE_IMAGES__INIT;
    question.references = references;
    question.n_references = n_references;
    ENGINE_PACKET(packet, SAVE_IMAGES, save_images, &question);
    return pipe_stream(request, &packet, "application/x-tar", error);
}

int handle_image_get(struct request *request, struct bh_error *error)
{
    char *references[] = {request->name};
    return save(request, references, 1, error);
}

int handle_images_get(struct request *request, struct bh_error *error)
{
    char *references[HTTP_PARAMETERS_MAX];
    size_t n_references = 0;
    for (size_t i = 0; i < request->target.n_parameters; i++) {
        if (strcmp(request->target.parameters[i].name, "names") == 0) {
            references[n_references++] = (char *)(uintptr_t)request->target.parameters[i].value;
        }
    }
    if (n_references == 0) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "parameter names is missing: it must name the images to save, one parameter each");
    }
    return save(request, references, n_references, error);
}
