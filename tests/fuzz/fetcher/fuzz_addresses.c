/* SPDX-License-Identifier: Apache-2.0
 *
 * What a registry sends where to go next: a challenge, a URL, a redirect; and a host as the dialer takes it. Whatever
 * the fetcher makes of a URL, it reads again to the same, so that what was judged is what is asked for.
 */
#include <stdlib.h>
#include <string.h>

#include "challenge.h"
#include "common/cleanup.h"
#include "egress.h"
#include "url.h"
#include "fuzz.h"

static void must_round_trip(const struct url *url)
{
    static struct url again;
    char text[URL_TEXT_SIZE];
    struct bh_error error = {0};
    if (url_parse(url_format(url, text), &again, &error) < 0 || !origin_equal(&url->origin, &again.origin) ||
        strcmp(url->target, again.target) != 0) {
        fuzz_wrong();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes)
{
    static struct url base, url;
    static struct egress_rules rules;
    struct challenge challenge = {0};
    struct bh_error error = {0};
    char host[EGRESS_HOST_BYTES_MAX + 1];
    uint16_t port = 0;
    bh_autofree char *text = strndup((const char *)bytes, n_bytes);

    (void)challenge_parse(text, &challenge, &error);
    if (url_parse(text, &url, &error) == 0) {
        must_round_trip(&url);
    }
    if (url_parse("https://registry.example:5000/v2/a/blobs/b?c=d", &base, &error) == 0 &&
        url_resolve(&base, text, &url, &error) == 0) {
        must_round_trip(&url);
    }
    (void)egress_split(text, host, &port, &error);
    (void)egress_host(text, host, &error);
    rules.n_rules = 0;
    (void)egress_rules_add(&rules, text, false, &error);
    return 0;
}
