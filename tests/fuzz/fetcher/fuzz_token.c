/* SPDX-License-Identifier: Apache-2.0
 *
 * A registry's challenge and its token server's answer, with NUL between them: the request goes where the challenge
 * says or nowhere, and a token can be put into a header.
 */
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "token.h"
#include "fuzz.h"

static bool trusts(const struct origin *origin, void *argument)
{
    (void)argument;
    return origin->host[0] == 't';
}

static void make_request(const char *text)
{
    static const struct token_scope scope = {.repository = "team/app", .push = true};
    static const struct token_credentials credentials = {
        .username = "u\xc3\xa4", .password = "p:w", .identity_token = ""};
    static struct url registry;
    static struct challenge challenge;
    static struct token_request request;
    struct bh_error error = {0};
    challenge = (struct challenge){0};
    if (url_parse("https://registry.example/", &registry, &error) < 0) {
        fuzz_wrong();
    }
    if (challenge_parse(text, &challenge, &error) == 0 &&
        token_request_make(&registry.origin, &challenge, &scope, &credentials, trusts, NULL, &request, &error) == 0) {
        if (request.authorization && strpbrk(request.authorization, "\r\n")) {
            fuzz_wrong();
        }
        token_request_clear(&request);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes)
{
    bh_autofree char *text = strndup((const char *)bytes, n_bytes);
    bh_autofree char *token = NULL;
    bh_autofree char *refresh = NULL;
    struct bh_error error = {0};
    size_t n_text = strlen(text);
    make_request(text);
    if (n_text == n_bytes ||
        token_reply_parse((const char *)bytes + n_text + 1, n_bytes - n_text - 1, &token, &refresh, &error) < 0) {
        return 0;
    }
    for (const char *c = token; *c; c++) {
        if (*c <= ' ' || *c > '~') {
            fuzz_wrong();
        }
    }
    return 0;
}
