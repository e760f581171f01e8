/* SPDX-License-Identifier: Apache-2.0
 *
 * Mirrors' URLs to the hosts that are asked.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "services/engine/sources.h"

Test(sources, a_mirrors_host)
{
    static const struct {
        const char *url, *host;
    } cases[] = {
        {"https://mirror.example", "mirror.example"},
        {"https://mirror.example/", "mirror.example"},
        {"https://mirror.example:5000", "mirror.example:5000"},
        {"http://mirror.example", "mirror.example:80"},
        {"http://127.0.0.1:5000/", "127.0.0.1:5000"},
        {"http://[::1]", "[::1]:80"},
        {"http://[::1]:5000", "[::1]:5000"},
        {"mirror.example", NULL},
        {"https://", NULL},
        {"https://mirror.example/path", NULL},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char host[64];
        cr_expect_eq(source_mirror_host(cases[i].url, host, sizeof(host)), cases[i].host ? 0 : -1, "%s", cases[i].url);
        cr_expect(!cases[i].host || strcmp(host, cases[i].host) == 0, "%s: %s", cases[i].url, host);
    }
}
