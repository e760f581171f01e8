/* SPDX-License-Identifier: Apache-2.0
 *
 * CheckBlob and CheckCredentials: questions to the registry whose answer is a status and no body.
 */
#pragma once

#include "common/digest.h"
#include "job.h"

/* HEAD of a blob: may these credentials read it, and how large is it? Answers BlobAvailable. */
int check_blob_start(struct job *job, struct bh_request *request, const struct bh_digest *digest,
                     struct bh_error *error);
/* GET /v2/ with the credentials. Answers CredentialsAccepted, with the identity token if the token server gave one. */
int check_credentials_start(struct job *job, struct bh_request *request, struct bh_error *error);
