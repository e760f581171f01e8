/* SPDX-License-Identifier: Apache-2.0
 *
 * Lists of a registry's: tags, page by page, and what a search finds.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "stage.h"

#define MANIFEST_TEXT "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\"}"

static struct stage stage;
static struct server server;
static char description[2048]; /* of what was found last */

static void setup(void)
{
    stage_make_root(&stage);
    stage_start(&stage, NULL);
}

static void teardown(void)
{
    stage_stop(&stage);
    server_stop(&server);
}

TestSuite(lists, .init = setup, .fini = teardown, .timeout = 60);

static void serve(const char *fault)
{
    const char *const faults[] = {"--fault", fault, NULL};
    struct bh_error error;
    server_start(&server, stage.root, fault ? faults : NULL);
    cr_assert_eq(stage_open(&stage, server.address, "test", NULL, &error), 0, "%s", error.message);
}

static void append(char names[static 1024], const char *name)
{
    size_t n = strlen(names);
    (void)snprintf(names + n, 1024 - n, "%s ", name);
}

/* Everything that was listed, names one after another, into `names`, as far as there is room. */
static int ask(Bulkhead__EngineToFetcher *packet, char names[static 1024], struct bh_error *error)
{
    bh_autocall struct bh_call *call = NULL;
    names[0] = '\0';
    if (bh_call_start(stage.job, &packet->base, NULL, 0, 20000, &call, error) < 0) {
        return -1;
    }
    for (;;) {
        bh_automessage struct bh_message *message = NULL;
        if (bh_call_next(call, &message, error) < 0) {
            return -1;
        }
        const Bulkhead__FetcherToEngine *answer = (const Bulkhead__FetcherToEngine *)message->packet;
        if (answer->body_case == BULKHEAD__FETCHER_TO_ENGINE__BODY_TAGS_LISTED) {
            for (size_t i = 0; i < answer->tags_listed->n_tags; i++) {
                append(names, answer->tags_listed->tags[i]);
            }
        } else if (answer->body_case == BULKHEAD__FETCHER_TO_ENGINE__BODY_IMAGE_FOUND) {
            append(names, answer->image_found->name);
            (void)snprintf(description, sizeof(description), "%s", answer->image_found->description);
        }
        if (!message->more) {
            return 0;
        }
    }
}

static int list_tags(char names[static 1024], struct bh_error *error)
{
    Bulkhead__ListTags body = BULKHEAD__LIST_TAGS__INIT;
    Bulkhead__EngineToFetcher packet = BULKHEAD__ENGINE_TO_FETCHER__INIT;
    packet.body_case = BULKHEAD__ENGINE_TO_FETCHER__BODY_LIST_TAGS;
    packet.list_tags = &body;
    return ask(&packet, names, error);
}

static int search(const char *term, uint32_t limit, char names[static 1024], struct bh_error *error)
{
    Bulkhead__SearchImages body = BULKHEAD__SEARCH_IMAGES__INIT;
    Bulkhead__EngineToFetcher packet = BULKHEAD__ENGINE_TO_FETCHER__INIT;
    body.term = (char *)(uintptr_t)term;
    body.limit = limit;
    packet.body_case = BULKHEAD__ENGINE_TO_FETCHER__BODY_SEARCH_IMAGES;
    packet.search_images = &body;
    return ask(&packet, names, error);
}

static void add_tags(void)
{
    static const char *const tags[] = {"a", "b", "c"};
    for (size_t i = 0; i < 3; i++) {
        (void)stage_add_manifest(&stage, "test", tags[i], MANIFEST_TEXT);
    }
}

Test(lists, tags_in_pages)
{
    char names[1024];
    struct bh_error error = {0};
    add_tags();
    serve("page=1");
    cr_assert_eq(list_tags(names, &error), 0, "%s", error.message);
    cr_expect_str_eq(names, "a b c ");
    cr_expect_eq(server_log_count(&server, "tags/list"), 3);
}

Test(lists, pages_that_go_in_a_circle_end)
{
    char names[1024];
    struct bh_error error = {0};
    add_tags();
    serve("page-loop");
    cr_expect_eq(list_tags(names, &error), -1);
    cr_expect_neq(error.message[0], '\0');
}

Test(lists, pages_do_not_lead_to_another_host)
{
    char names[1024];
    struct bh_error error = {0};
    add_tags();
    serve("page-elsewhere=https://169.254.169.254/v2/test/tags/list");
    cr_expect_eq(list_tags(names, &error), -1);
    cr_expect_neq(error.message[0], '\0');
}

Test(lists, tags_of_nothing)
{
    char names[1024];
    struct bh_error error = {0};
    serve(NULL);
    cr_expect_eq(list_tags(names, &error), -1);
    cr_expect_eq(error.code, BH_NOT_FOUND, "%s", error.message);
}

Test(lists, what_a_search_finds)
{
    char names[1024];
    struct bh_error error = {0};
    add_tags();
    serve(NULL);
    cr_assert_eq(search("te&st=\xc3\xa4", 25, names, &error), 0, "%s", error.message);
    cr_expect_str_eq(names, "");
    cr_assert_eq(search("tes", 25, names, &error), 0, "%s", error.message);
    cr_expect_str_eq(names, "test ");
}

Test(lists, searches_have_limits)
{
    char names[1024], term[400];
    struct bh_error error = {0};
    serve(NULL);
    cr_expect_eq(search("a", 101, names, &error), -1);
    cr_expect_eq(error.code, BH_INVALID_ARGUMENT);
    memset(term, 'a', sizeof(term) - 1);
    term[sizeof(term) - 1] = '\0';
    cr_expect_eq(search(term, 5, names, &error), -1);
    cr_expect_eq(error.code, BH_INVALID_ARGUMENT);
}

Test(lists, searches_that_answer_something_else)
{
    static const char *const lies[] = {"search-says=[]", "search-says={\"results\":{}}", "search-says=no JSON",
                                       "search-says={\"results\":[],\"results\":[]}", "search-says={}"};
    char names[1024];
    struct bh_error error = {0};
    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        serve(lies[i]);
        cr_expect_eq(search("a", 5, names, &error), -1, "%s", lies[i]);
        cr_expect(strstr(error.message, "no list of images"), "%s: %s", lies[i], error.message);
        server_stop(&server);
    }
    serve(
        "search-says={\"results\":[{},7,null,{\"name\":\"\"},{\"name\":7},{\"name\":\"a\",\"star_count\":\"many\"}]}");
    cr_assert_eq(search("a", 25, names, &error), 0, "%s", error.message);
    cr_expect_str_eq(names, "a ", "what has no name is nothing");
    server_stop(&server);
    serve("search-says={\"results\":[{\"name\":\"a\"},{\"name\":\"b\"},{\"name\":\"c\"}]}");
    cr_assert_eq(search("a", 2, names, &error), 0, "%s", error.message);
    cr_expect_str_eq(names, "a b ", "no more than was asked for");
}

Test(lists, descriptions_are_cut_between_characters)
{
    char fault[4096] = "search-says={\"results\":[{\"name\":\"a\",\"description\":\"x", names[1024];
    struct bh_error error = {0};
    for (int i = 0; i < 600; i++) {
        strcat(fault, "\xc3\xa4");
    }
    strcat(fault, "\"}]}");
    serve(fault);
    cr_assert_eq(search("a", 5, names, &error), 0, "%s", error.message);
    cr_expect_eq(strlen(description), 999, "1000 bytes would end within a character");
    cr_expect_eq(strcmp(description + 997, "\xc3\xa4"), 0);
}

Test(lists, searches_that_are_refused)
{
    char names[1024];
    struct bh_error error = {0};
    serve("search-status=404");
    cr_expect_eq(search("a", 5, names, &error), -1);
    cr_expect(strstr(error.message, "Unexpected status code 404"), "%s", error.message);
    server_stop(&server);
    serve("search-status=401");
    cr_expect_eq(search("a", 5, names, &error), -1);
    cr_expect_neq(error.message[0], '\0');
    server_stop(&server); /* nobody is there any more */
    cr_expect_eq(search("a", 5, names, &error), -1);
    cr_expect_eq(error.code, BH_UNAVAILABLE, "%s", error.message);
}
