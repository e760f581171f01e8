/* SPDX-License-Identifier: Apache-2.0
 *
 * The route table: complete, unambiguous where it must be, and as docs/api.md says.
 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/io.h"
#include "route.h"

Test(routes, patterns)
{
    const char *name;
    size_t n_bytes;
    cr_assert(route_matches("/images/{name}/json", "/images/localhost:5000/a/b:c/json", &name, &n_bytes));
    cr_assert_eq(n_bytes, strlen("localhost:5000/a/b:c"));
    cr_assert_not(route_matches("/images/{name}/json", "/images/json", &name, &n_bytes));
    cr_assert(route_matches("/containers/{id}/json", "/containers/abc/json", &name, &n_bytes));
    cr_assert_not(route_matches("/containers/{id}/json", "/containers/a/b/json", &name, &n_bytes));
    cr_assert_not(route_matches("/containers/{id}", "/containers/", &name, &n_bytes));
    cr_assert(route_matches("/info", "/info", &name, &n_bytes));
    cr_assert_not(route_matches("/info", "/infos", &name, &n_bytes));
}

Test(routes, the_document_says_what_the_table_does)
{
    char *text = NULL;
    size_t n_bytes;
    struct bh_error error = {0};
    int fd = open(BH_SOURCE "/docs/api.md", O_RDONLY | O_CLOEXEC);
    cr_assert_geq(fd, 0);
    cr_assert_eq(bh_read_file(fd, 1 << 20, &text, &n_bytes, "docs/api.md", &error), 0);
    size_t operations = 0;
    for (const struct route *route = routes; route->method; route++) {
        char row[160];
        if (strncmp(route->pattern, "/bulkhead/", 10) == 0) {
            continue;
        }
        operations++;
        snprintf(row, sizeof(row), "| %s | `%s` | %s |\n", route->method, route->pattern,
                 route->handle          ? "works"
                 : route->status == 503 ? "503, not a swarm manager"
                 : route->status == 404 ? "404: there is none yet"
                                        : "501");
        cr_expect(strstr(text, row), "missing in docs/api.md: %s", row);
    }
    cr_assert_eq(operations, 108);
    free(text);
}
