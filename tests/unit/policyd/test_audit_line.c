/* SPDX-License-Identifier: Apache-2.0
 *
 * One line of the audit log: chained, and forged by nobody.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "audit_line.h"

static char line[AUDIT_RECORD_BYTES_MAX];
static struct bh_digest previous = {{1, 2, 3}};

static size_t format(const struct audit_record *record, struct bh_digest *hash)
{
    return audit_line_format(line, record, 7, 1418336045123456789LL, &previous, hash);
}

Test(audit_line, what_was_written_checks_and_what_was_altered_does_not)
{
    const uint8_t id[32] = {0xab};
    const struct audit_record record = {.operation = "StartContainer",
                                        .verdict = "allow",
                                        .trace = 5,
                                        .has_tenant = true,
                                        .tenant_uid = 1000,
                                        .container = id,
                                        .image = "docker.io/library/busybox:latest",
                                        .number = -1};
    struct bh_digest hash;
    struct bh_digest again;
    bool gap = true;
    size_t n = format(&record, &hash);
    cr_assert_gt(n, 0);
    cr_assert_eq(line[n - 1], '\n');
    cr_assert(audit_line_check(line, n - 1, 7, &previous, &again, &gap));
    cr_assert(bh_digest_equal(&hash, &again) && !gap);
    cr_assert_not(audit_line_check(line, n - 1, 8, &previous, &again, &gap), "another number");
    cr_assert_not(audit_line_check(line, n - 1, 7, &hash, &again, &gap), "another predecessor");
    for (size_t i = 0; i < n - 1; i++) {
        line[i] ^= 1;
        cr_assert_not(audit_line_check(line, n - 1, 7, &previous, &again, &gap), "byte %zu", i);
        line[i] ^= 1;
    }
    uint64_t number = 0;
    cr_assert(audit_line_read(line, n - 1, &number, &again));
    cr_assert_eq(number, 7);
}

Test(audit_line, text_from_outside_cannot_end_a_line)
{
    const struct audit_record record = {.operation = "AdmitImage",
                                        .verdict = "invalid",
                                        .image = "x\"\n{\"record\":8,\"verdict\":\"allow\"}\n\\\xff",
                                        .number = -1};
    struct bh_digest hash;
    size_t n = format(&record, &hash);
    cr_assert_gt(n, 0);
    cr_assert_eq(memchr(line, '\n', n), line + n - 1);
    cr_assert(memmem(line, n, "x\\\"\\u000a{\\\"record\\\":8", 22));
}

Test(audit_line, one_that_does_not_fit_is_refused)
{
    static char text[AUDIT_RECORD_BYTES_MAX];
    memset(text, 'x', sizeof(text) - 1);
    const struct audit_record record = {.operation = "X", .verdict = "note", .reason = text, .number = -1};
    struct bh_digest hash;
    cr_assert_eq(format(&record, &hash), 0);
}
