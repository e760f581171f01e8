/* SPDX-License-Identifier: Apache-2.0
 *
 * Pushing blobs and manifests, to a registry that behaves and to ones that lie about what has arrived, where an upload
 * goes on, or what was stored: each case ends in the right bytes or a typed error, and never with our credentials
 * elsewhere.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/io.h"
#include "common/limits.h"
#include "stage.h"

#define SIZE 3000000

static struct stage stage;
static struct server server, other;
static struct bh_digest digest;
static int blob = -1;

static void setup(void)
{
    bh_autofree uint32_t *words = malloc(SIZE);
    uint32_t state = 2463534242U;
    for (size_t i = 0; i < SIZE / sizeof(*words); i++) {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        words[i] = state;
    }
    blob = memfd_create("blob", MFD_CLOEXEC);
    cr_assert_eq(bh_write_all(blob, words, SIZE, "blob", NULL), 0);
    cr_assert_eq(bh_digest_of(words, SIZE, &digest, NULL), 0);
    stage_make_root(&stage);
    stage_start(&stage, NULL);
}

static void teardown(void)
{
    stage_stop(&stage);
    server_stop(&server);
    server_stop(&other);
    bh_close(&blob);
}

TestSuite(push, .init = setup, .fini = teardown, .timeout = 90);

/* Opens the registry for pushing. */
static void open_push(const Bulkhead__Credentials *credentials)
{
    static char repository[] = "test";
    stage_spawn(&stage);
    Bulkhead__OpenRegistry message = BULKHEAD__OPEN_REGISTRY__INIT;
    message.host = server.address;
    message.repository = repository;
    message.credentials = (Bulkhead__Credentials *)(uintptr_t)credentials;
    message.push = true;
    Bulkhead__EngineToFetcher packet = BULKHEAD__ENGINE_TO_FETCHER__INIT;
    packet.body_case = BULKHEAD__ENGINE_TO_FETCHER__BODY_OPEN_REGISTRY;
    packet.open_registry = &message;
    struct bh_error error;
    cr_assert_eq(bh_call(stage.job, &packet.base, NULL, 0, 0, BULKHEAD__FETCHER_TO_ENGINE__BODY_DONE, NULL, &error), 0,
                 "%s", error.message);
}

static void serve(const char *fault, const char *second)
{
    const char *arguments[] = {"--write", fault ? "--fault" : NULL, fault, second ? "--fault" : NULL, second, NULL};
    server_start(&server, stage.root, arguments);
    open_push(NULL);
}

struct pushed {
    int result;
    struct bh_error error;
    char text[1200];
    Bulkhead__PushOutcome outcome;
    int n_progress;
};

static struct pushed push(int fd, const struct bh_digest *named)
{
    struct pushed pushed = {0};
    Bulkhead__PushBlob message = BULKHEAD__PUSH_BLOB__INIT;
    message.digest = (ProtobufCBinaryData){.data = (uint8_t *)(uintptr_t)named->bytes, .len = BH_DIGEST_BYTES};
    message.size_bytes = SIZE;
    Bulkhead__EngineToFetcher packet = BULKHEAD__ENGINE_TO_FETCHER__INIT;
    packet.body_case = BULKHEAD__ENGINE_TO_FETCHER__BODY_PUSH_BLOB;
    packet.push_blob = &message;
    bh_autocall struct bh_call *call = NULL;
    pushed.result = bh_call_start(stage.job, &packet.base, &fd, fd >= 0 ? 1 : 0, 0, &call, &pushed.error);
    for (bool more = pushed.result == 0; more;) {
        bh_automessage struct bh_message *reply = NULL;
        pushed.result = bh_call_next(call, &reply, &pushed.error);
        more = pushed.result == 0 && reply->more;
        pushed.n_progress += more;
        if (pushed.result == 0 && !more) {
            cr_assert_eq(reply->kind, BULKHEAD__FETCHER_TO_ENGINE__BODY_BLOB_PUSHED);
            pushed.outcome = ((const Bulkhead__BlobPushed *)bh_message_body(reply))->outcome;
        }
    }
    if (pushed.result < 0) {
        (void)bh_error_format(&pushed.error, pushed.text, sizeof(pushed.text));
    }
    return pushed;
}

#define OUTCOME(name) BULKHEAD__PUSH_OUTCOME__PUSH_OUTCOME_##name

/* The registry holds the blob's own bytes under its digest. */
static bool arrived(void)
{
    char path[160], hex[BH_DIGEST_HEX_SIZE];
    (void)snprintf(path, sizeof(path), "%s/blobs/%s", stage.root, bh_digest_hex(&digest, hex));
    struct stat status;
    return stat(path, &status) == 0 && status.st_size == SIZE;
}

static void expect_pushed(const char *fault, const char *second)
{
    serve(fault, second);
    struct pushed pushed = push(blob, &digest);
    cr_assert_eq(pushed.result, 0, "%s", pushed.text);
    cr_expect_eq(pushed.outcome, OUTCOME(UPLOADED));
    cr_expect(arrived());
}

static void expect_refused(const char *fault, const char *second, enum bh_code code, const char *text)
{
    serve(fault, second);
    struct pushed pushed = push(blob, &digest);
    cr_expect_eq(pushed.result, -1);
    cr_expect_eq(pushed.error.code, code, "%s: %s", bh_code_name(pushed.error.code), pushed.text);
    cr_expect(strstr(pushed.text, text), "\"%s\" should hold \"%s\"", pushed.text, text);
    cr_expect_null(strchr(pushed.text, '\n'), "one line");
}

Test(push, uploads_and_then_finds_it_there)
{
    expect_pushed(NULL, NULL);
    struct pushed again = push(blob, &digest);
    cr_expect_eq(again.outcome, OUTCOME(EXISTS));
    cr_expect_eq(server_log_count(&server, "PATCH"), 1, "nothing is sent twice");
    cr_expect_eq(lseek(blob, 0, SEEK_CUR), SIZE, "the file is read by ranges: its position is others', too");
}

Test(push, without_the_bytes_it_says_that_it_is_absent)
{
    serve(NULL, NULL);
    cr_expect_eq(push(-1, &digest).outcome, OUTCOME(ABSENT));
    cr_expect_eq(server_log_count(&server, "POST"), 0);
}

Test(push, goes_on_where_it_was_cut)
{
    expect_pushed("upload-cuts=4", NULL);
    cr_expect_eq(server_log_count(&server, "POST /v2/"), 1, "one upload it was");
    cr_expect_geq(server_log_count(&server, "GET /v2/test/blobs/uploads/"), 4);
}

Test(push, begins_anew_where_the_registry_forgets)
{
    expect_pushed("upload-cuts=2", "upload-forget");
    cr_expect_eq(server_log_count(&server, "POST /v2/"), 3);
}

Test(push, gives_up_on_one_that_always_forgets)
{
    expect_refused("upload-cuts=1000", "upload-forget", BH_NOT_FOUND, "blob upload unknown");
    cr_expect_eq(server_log_count(&server, "POST /v2/"), 4);
    cr_expect_not(arrived());
}

Test(push, sends_the_rest_to_one_that_takes_a_part)
{
    expect_pushed("upload-takes=1300000", NULL);
    cr_expect_eq(server_log_count(&server, "PATCH"), 3);
}

Test(push, gives_up_on_one_that_takes_next_to_nothing)
{
    expect_refused("upload-takes=1000", NULL, BH_UNAVAILABLE, "and no more");
    cr_expect_leq(server_log_count(&server, "PATCH"), 5);
}

Test(push, a_range_beyond_the_end)
{
    expect_refused("upload-range=0-3000000", NULL, BH_DATA_LOSS, "says that it has 3000001 bytes of 3000000");
}

Test(push, a_range_that_claims_all_of_it_too_early)
{
    /* The registry compares the digest itself: what was lost is sent again, a few times, and then it is told. */
    expect_refused("upload-range=0-2999999", "upload-takes=1000", BH_DATA_LOSS, "refuses what was uploaded");
    cr_expect_leq(server_log_count(&server, "POST /v2/"), 4);
    cr_expect_not(arrived());
}

Test(push, ranges_that_make_no_sense)
{
    expect_pushed("upload-range=5-1-banana", NULL);
}

Test(push, another_digest_in_the_end)
{
    expect_refused("put-lies", NULL, BH_DATA_LOSS, "says that it has stored sha256:0000");
}

Test(push, an_answer_that_is_lost)
{
    expect_pushed("put-lost", NULL);
}

Test(push, wrong_bytes_are_refused_by_the_registry)
{
    struct bh_digest wrong = digest;
    wrong.bytes[0] ^= 1;
    serve(NULL, NULL);
    struct pushed pushed = push(blob, &wrong);
    cr_expect_eq(pushed.error.code, BH_DATA_LOSS, "%s", pushed.text);
    cr_expect_leq(server_log_count(&server, "POST /v2/"), 4);
}

Test(push, an_upload_to_the_metadata_service)
{
    expect_refused("upload-location=http://169.254.169.254/latest/", NULL, BH_PERMISSION_DENIED, "metadata");
}

Test(push, an_upload_to_a_private_network)
{
    expect_refused("upload-location=http://10.1.2.3/x", NULL, BH_PERMISSION_DENIED, "private address");
}

Test(push, an_upload_to_another_port_of_loopback)
{
    char fault[160];
    server_start(&other, stage.root, (const char *const[]){"--write", NULL});
    (void)snprintf(fault, sizeof(fault), "upload-location=http://%s/v2/test/blobs/uploads/x", other.address);
    expect_refused(fault, NULL, BH_PERMISSION_DENIED, "loopback address");
    cr_expect_eq(server_log_count(&other, "P"), 0, "the other server must not hear of it");
}

Test(push, an_upload_to_a_file)
{
    expect_refused("upload-location=file:///etc/passwd", NULL, BH_PERMISSION_DENIED, "only http and https");
}

Test(push, redirects_without_end)
{
    expect_refused("upload-redirect=%s", NULL, BH_UNAVAILABLE, "redirects more than 5 times");
}

Test(push, denied)
{
    expect_refused("upload-status=403", NULL, BH_PERMISSION_DENIED,
                   "denied: requested access to the resource is denied");
}

Test(push, a_registry_that_is_busy_at_first)
{
    expect_pushed("upload-status-once=503", NULL);
}

/* Another host that the configuration names may take the upload, and hears no password. */
static void name_other(Bulkhead__Config *config)
{
    static char *names[1];
    names[0] = other.address;
    config->private_registries = names;
    config->n_private_registries = 1;
}

Test(push, credentials_stay_with_the_registry)
{
    static char user[] = "alice", password[] = "secret";
    Bulkhead__Credentials credentials = BULKHEAD__CREDENTIALS__INIT;
    credentials.username = user;
    credentials.password = password;
    char fault[160];
    stage_stop(&stage);
    stage_make_root(&stage);
    server_start(&other, stage.root, (const char *const[]){"--write", NULL});
    stage_start(&stage, &(struct stage_options){.configure = name_other});
    (void)snprintf(fault, sizeof(fault), "upload-location=http://%s/v2/test/blobs/uploads/x", other.address);
    server_start(&server, stage.root,
                 (const char *const[]){"--write", "--auth", "basic", "--user", user, "--password", password, "--fault",
                                       fault, NULL});
    open_push(&credentials);
    struct pushed pushed = push(blob, &digest);
    cr_expect_eq(pushed.result, -1); /* there is no such upload */
    cr_expect_geq(server_log_count(&server, "Basic_"), 1);
    cr_expect_geq(server_log_count(&other, "PATCH"), 1, "%s", pushed.text);
    cr_expect_eq(server_log_count(&other, "Basic_"), 0);
}

Test(push, a_worker_that_was_opened_for_pulling_does_not_push)
{
    struct bh_error error;
    server_start(&server, stage.root, (const char *const[]){"--write", NULL});
    cr_assert_eq(stage_open(&stage, server.address, "test", NULL, &error), 0);
    cr_expect_eq(push(blob, &digest).error.code, BH_FAILED_PRECONDITION);
    cr_expect_eq(server_log_count(&server, "P"), 0);
}

Test(push, a_manifest_goes_under_its_tag)
{
    static char tag[] = "1", bad[] = "../x";
    char text[512], path[160], written[512] = "", name[BH_DIGEST_TEXT_SIZE];
    expect_pushed(NULL, NULL);
    int n = snprintf(text, sizeof(text), "{\"schemaVersion\":2,\"config\":{\"digest\":\"%s\"},\"layers\":[]}",
                     bh_digest_text(&digest, name));
    bh_autoclose int fd = memfd_create("manifest", MFD_CLOEXEC);
    cr_assert_eq(bh_write_all(fd, text, (size_t)n, "manifest", NULL), 0);
    Bulkhead__PushManifest message = BULKHEAD__PUSH_MANIFEST__INIT;
    message.media_type = BULKHEAD__MEDIA_TYPE__MEDIA_TYPE_OCI_MANIFEST;
    message.size_bytes = (uint64_t)n;
    Bulkhead__EngineToFetcher packet = BULKHEAD__ENGINE_TO_FETCHER__INIT;
    packet.body_case = BULKHEAD__ENGINE_TO_FETCHER__BODY_PUSH_MANIFEST;
    packet.push_manifest = &message;
    struct bh_error error = {0};
    message.tag = bad;
    cr_expect_eq(
        bh_call(stage.job, &packet.base, &fd, 1, 0, BULKHEAD__FETCHER_TO_ENGINE__BODY_MANIFEST_PUSHED, NULL, &error),
        -1);
    cr_expect_eq(error.code, BH_INVALID_ARGUMENT);
    message.tag = tag;
    cr_assert_eq(
        bh_call(stage.job, &packet.base, &fd, 1, 0, BULKHEAD__FETCHER_TO_ENGINE__BODY_MANIFEST_PUSHED, NULL, &error), 0,
        "%s", error.message);
    (void)snprintf(path, sizeof(path), "%s/manifests/test/1", stage.root);
    FILE *stream = fopen(path, "r");
    cr_assert_not_null(stream);
    cr_assert_eq(fread(written, 1, sizeof(written) - 1, stream), (size_t)n);
    (void)fclose(stream);
    cr_expect_str_eq(written, text);
}
