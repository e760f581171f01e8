/* SPDX-License-Identifier: Apache-2.0
 *
 * The route table: complete, unambiguous where it must be, and as docs/api.md says.
 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

/* The cell behind "works" names a system test that exists. */
static void expect_test(const char *cell)
{
    char path[PATH_MAX];
    size_t length = strcspn(cell, " |\n");
    snprintf(path, sizeof(path), BH_SOURCE "/tests/system/%.*s", (int)length, cell);
    cr_expect(length > 0 && access(path, R_OK) == 0, "docs/api.md names a test that is not there: %s", path);
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
        if (strncmp(route->pattern, "/bulkhead/", 10) == 0 || strcmp(route->pattern, "/networks/") == 0 ||
            route->alone) {
            continue; /* ours, or said twice */
        }
        operations++;
        snprintf(row, sizeof(row), "| %s | `%s` | %s | %s", route->method, route->pattern,
                 route->handle          ? "works"
                 : route->status == 503 ? "503, not a swarm manager"
                 : route->status == 404 ? "404: there is none yet"
                                        : "501",
                 route->handle ? "" : "–");
        const char *found = strstr(text, row);
        cr_expect(found, "missing in docs/api.md: %s", row);
        if (found && route->handle) {
            expect_test(found + strlen(row));
        }
    }
    cr_assert_eq(operations, 108);
    free(text);
}
