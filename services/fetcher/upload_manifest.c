/* SPDX-License-Identifier: Apache-2.0
 *
 * PUT of a manifest; see upload.h. It is the last that is sent of an image: a tag never names what is not whole.
 */
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "engine_fetcher.pb-c.h"
#include "upload.h"

struct manifest_upload {
    struct operation operation; /* first */
    struct http_file file;
    char tag[BH_TAG_BYTES_MAX + 1];
};

static void manifest_upload_free(struct operation *operation)
{
    struct manifest_upload *upload = (struct manifest_upload *)operation;
    bh_close(&upload->file.fd);
    free(upload);
}

static void on_done(void *argument, const struct response *response, const struct bh_error *error)
{
    (void)response;
    struct manifest_upload *upload = argument;
    if (!error) {
        Bulkhead__ManifestPushed pushed = BULKHEAD__MANIFEST_PUSHED__INIT;
        Bulkhead__FetcherToEngine packet = BULKHEAD__FETCHER_TO_ENGINE__INIT;
        packet.body_case = BULKHEAD__FETCHER_TO_ENGINE__BODY_MANIFEST_PUSHED;
        packet.manifest_pushed = &pushed;
        (void)bh_request_reply(upload->operation.request, &packet.base, NULL, 0);
    }
    operation_end(&upload->operation, error);
}

int upload_manifest_start(struct job *job, struct bh_request *request, const char *tag, Bulkhead__MediaType media_type,
                          uint64_t size_bytes, int manifest_fd, struct bh_error *error)
{
    static const struct exchange_feature feature = {.done = on_done};
    bh_autoclose int manifest = manifest_fd;
    const char *content_type = response_media_type_name(media_type);
    if (!content_type) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "media type %d is no manifest's", (int)media_type);
    }
    struct manifest_upload *upload = calloc(1, sizeof(*upload));
    if (!upload) {
        return bh_error_errno(error, ENOMEM, "hold an upload");
    }
    upload->operation.free = manifest_upload_free;
    upload->file = (struct http_file){.fd = -1, .n_bytes = size_bytes};
    (void)snprintf(upload->tag, sizeof(upload->tag), "%s", tag);
    if (operation_begin(&upload->operation, job, request, error) < 0) {
        manifest_upload_free(&upload->operation);
        return -1;
    }
    upload->file.fd = bh_steal_fd(&manifest);
    char target[URL_TARGET_SIZE];
    (void)snprintf(target, sizeof(target), "/v2/%s/manifests/%s", job->session.repository, upload->tag);
    const struct exchange_question question = {.target = target,
                                               .method = HTTP_PUT,
                                               .file = &upload->file,
                                               .content_type = content_type,
                                               .patient = true,
                                               .subject_manifest = upload->tag};
    if (exchange_start(&job->session, &question, &feature, upload, &upload->operation.exchange, error) < 0) {
        operation_end(&upload->operation, NULL);
        return -1;
    }
    return 0;
}
