/* SPDX-License-Identifier: Apache-2.0
 *
 * --format: what Go's text/template makes of it, ours does too.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "fields.h"
#include "table.h"
#include "template.h"

static const char data_text[] =
    "{\"Id\":\"abc\",\"State\":{\"Status\":\"running\",\"Pid\":12,\"Paused\":false},\"Config\":{\"Labels\":{\"b\":"
    "\"2\",\"a\":\"1\"},"
    "\"Env\":[\"A=1\",\"B=2\"],\"Cmd\":null},\"Mounts\":[{\"Source\":\"/x\"},{\"Source\":\"/y\"}],\"Empty\":[]}";

static struct bh_error error;

/* The result, or NULL. Owned by the caller. */
static char *render(const char *text)
{
    json_auto json_t *data = json_loads(data_text, 0, NULL);
    template_auto struct template *template = NULL;
    char *out = NULL;
    size_t n_out = 0;
    error = (struct bh_error){0};
    if (template_parse(text, &template, &error) < 0) {
        return NULL;
    }
    FILE *stream = open_memstream(&out, &n_out);
    int result = template_render(template, data, stream, &error);
    (void)fclose(stream);
    if (result < 0) {
        free(out);
        return NULL;
    }
    return out;
}

static void expect(const char *text, const char *wanted)
{
    char *out = render(text);
    cr_assert_not_null(out, "%s: %s", text, error.message);
    cr_assert_str_eq(out, wanted, "%s gave %s, want %s", text, out, wanted);
    free(out);
}

static void expect_refused(const char *text)
{
    char *out = render(text);
    cr_assert_null(out, "%s gave %s", text, out);
    cr_assert(strstr(error.message, "template") != NULL);
}

Test(template, fields)
{
    expect("plain", "plain");
    expect("", "");
    expect("{{.Id}}", "abc");
    expect("{{ .State.Status }}/{{.State.Pid}}/{{.State.Paused}}", "running/12/false");
    expect("{{$.Id}}", "abc");
    expect("{{.Config.Env}}", "[A=1 B=2]");
    expect("{{.Config.Labels}}", "map[a:1 b:2]");
    expect("{{.Config.Cmd}}", "<no value>");
    expect("{{(index .Mounts 1).Source}}", "/y");
}

Test(template, json)
{
    expect("{{json .State}}", "{\"Status\":\"running\",\"Pid\":12,\"Paused\":false}");
    expect("{{json .Config.Cmd}}", "null");
    expect("{{.Config.Env | json}}", "[\"A=1\",\"B=2\"]");
}

Test(template, index)
{
    expect("{{index .Config.Labels \"b\"}}", "2");
    expect("{{index .Config.Labels \"none\"}}", "");
    expect("{{index .Config.Env 1}}", "B=2");
    expect("{{index .Mounts 0 \"Source\"}}", "/x");
    expect_refused("{{index .Config.Env 2}}");
    expect_refused("{{index .Id 0}}");
}

Test(template, conditions)
{
    expect("{{if .State.Paused}}p{{else}}r{{end}}", "r");
    expect("{{if .Empty}}e{{else if .State.Pid}}pid{{else}}none{{end}}", "pid");
    expect("{{if eq .State.Status \"running\"}}yes{{end}}", "yes");
    expect("{{if and .Id (not .Empty)}}both{{end}}", "both");
    expect("{{if or .Empty .State.Paused}}x{{end}}", "");
    expect("{{if lt .State.Pid 13}}small{{end}}{{if ge .State.Pid 13}}big{{end}}", "small");
    expect("{{with .State}}{{.Status}}{{end}}", "running");
    expect("{{with .Empty}}x{{else}}empty{{end}}", "empty");
}

Test(template, range)
{
    expect("{{range .Mounts}}{{.Source}},{{end}}", "/x,/y,");
    expect("{{range $i, $e := .Config.Env}}{{$i}}={{$e}};{{end}}", "0=A=1;1=B=2;");
    expect("{{range $k, $v := .Config.Labels}}{{$k}}:{{$v}} {{end}}", "a:1 b:2 ");
    expect("{{range .Empty}}x{{else}}none{{end}}", "none");
    expect("{{range .Mounts}}{{$.Id}}{{end}}", "abcabc");
    expect("{{range .Config.Env}}{{println .}}{{end}}", "A=1\nB=2\n");
}

Test(template, functions)
{
    expect("{{join .Config.Env \", \"}}", "A=1, B=2");
    expect("{{upper .Id}}{{lower \"X\"}}{{title \"one two\"}}", "ABCxOne Two");
    expect("{{len .Config.Env}}{{len .Id}}", "23");
    expect("{{pad .Id 1 2}}|", " abc  |");
    expect("{{truncate .Id 2}}", "ab");
    expect("{{range split \"a,b\" \",\"}}[{{.}}]{{end}}", "[a][b]");
    expect("{{printf \"%s-%d%%\" .Id .State.Pid}}", "abc-12%");
    expect("{{print .Id .State.Pid}}", "abc12");
    expect("{{.Id | upper | printf \"<%s>\"}}", "<ABC>");
}

/* What Go prints for the same. */
Test(template, printf_like_go)
{
    expect("{{printf \"[%6s][%-6s][%.2s][%5.1s]\" .Id .Id .Id .Id}}", "[   abc][abc   ][ab][    a]");
    expect("{{printf \"[%5d][%-5d][%05d][%+d]\" 12 12 12 12}}", "[   12][12   ][00012][+12]");
    expect("{{printf \"%05d %x %X %#x %o\" -12 255 255 255 8}}", "-0012 ff FF 0xff 10");
    expect("{{printf \"%.2f|%8.3f|%e\" 3.14159 2.5 1.5}}", "3.14|   2.500|1.500000e+00");
    expect("{{printf \"%t %v %q %x\" true .Config.Env \"a\" \"hi\"}}", "true [A=1 B=2] \"a\" 6869");
    expect("{{printf \"%d %s\" .Id 3}}", "%!d(string=abc) %!s(int=3)");
    expect("{{printf \"%s %s\" .Id}}", "abc %!s(MISSING)");
    expect("{{printf \"%s\" .Id 7}}", "abc%!(EXTRA int=7)");
    expect("{{printf \"100%\"}}", "100%!(NOVERB)");
    expect("{{printf \"[%-4s]\" \"äö\"}}", "[äö  ]");
    expect("{{printf \"%.1s\" \"äö\"}}", "ä");
}

Test(template, variables_trimming_and_comments)
{
    expect("{{$x := .Id}}{{$x}}", "abc");
    expect("a {{- .Id -}} b", "aabcb");
    expect("a{{/* nothing */}}b", "ab");
    expect("{{\"q\\\"\"}}{{`r\\`}}", "q\"r\\");
}

Test(template, what_is_wrong_is_refused)
{
    static const char *const bad[] = {
        "{{.Id",
        "{{",
        "{{}}",
        "{{if .Id}}",
        "{{end}}",
        "{{else}}",
        "{{.Id .Id}}",
        "{{nope .Id}}",
        "{{.Nope}}",
        "{{.Id.X}}",
        "{{json}}",
        "{{.Id | .Id}}",
        "{{\"open}}",
        "{{$nope}}",
        "{{(.Id}}",
        "{{range .Id}}{{end}}",
        "{{.Id}} {{.State.Nope}}",
        "{{len len}}",
        "{{eq .Id 1}}",
        "{{/* open }}",
        "{{.Id ! }}",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        expect_refused(bad[i]);
    }
}

Test(template, depth_is_bounded)
{
    char deep[4096] = "{{";
    memset(deep + 2, '(', sizeof(deep) - 3);
    expect_refused(deep);
}

/* ---- tables -------------------------------------------------------------------------------------- */

static char *print(const struct table *table, const json_t *rows)
{
    char *out = NULL;
    size_t n_out = 0;
    FILE *stream = open_memstream(&out, &n_out);
    error = (struct bh_error){0};
    int result = table_print(table, rows, stream, &error);
    (void)fclose(stream);
    cr_assert_eq(result, 0, "%s", error.message);
    return out;
}

static void expect_table(const struct table *options, const char *wanted)
{
    json_auto json_t *rows =
        json_loads("[{\"ID\":\"1\",\"Name\":\"a-longer-name\"},{\"ID\":\"2\",\"Name\":\"b\"}]", 0, NULL);
    json_auto json_t *headings = json_loads("{\"ID\":\"ID\",\"Name\":\"NAME\"}", 0, NULL);
    struct table table = *options;
    table.headings = headings;
    table.columns = "{{.Name}}\t{{.ID}}";
    table.quiet_columns = "{{.ID}}";
    char *out = print(&table, rows);
    cr_assert_str_eq(out, wanted);
    free(out);
}

Test(table, formats)
{
    expect_table(&(struct table){0}, "NAME            ID\na-longer-name   1\nb               2\n");
    expect_table(&(struct table){.format = "table"}, "NAME            ID\na-longer-name   1\nb               2\n");
    expect_table(&(struct table){.format = "table {{.ID}}\\t{{.Name}}"},
                 "ID        NAME\n1         a-longer-name\n2         b\n");
    expect_table(&(struct table){.format = "{{.ID}}"}, "1\n2\n");
    expect_table(&(struct table){.format = "json"},
                 "{\"ID\":\"1\",\"Name\":\"a-longer-name\"}\n{\"ID\":\"2\",\"Name\":\"b\"}\n");
    expect_table(&(struct table){.quiet = true}, "1\n2\n");
}

Test(table, control_characters_do_not_reach_the_terminal)
{
    char *out = NULL;
    size_t n_out = 0;
    FILE *stream = open_memstream(&out, &n_out);
    table_align("a\x1b[2J\tb\n", stream);
    (void)fclose(stream);
    cr_assert_str_eq(out, "a?[2J     b\n");
    free(out);
}

Test(template, a_key_that_a_map_does_not_have_is_no_value)
{
    expect("{{.Config.Labels.a}}/{{.Config.Labels.nothere}}", "1/<no value>");
    expect("{{if .Config.Labels.nothere}}yes{{else}}no{{end}}", "no");
    cr_assert_null(render("{{.Config.Nothere}}"));
}
