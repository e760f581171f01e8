/* SPDX-License-Identifier: Apache-2.0
 *
 * Pull, load, names and garbage through the real engine, with a store, a fetcher and an extractor that play by script.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "world.h"

#define KIND(name) BULKHEAD__PROGRESS_KIND__PROGRESS_KIND_##name

static struct world world;

static void begin(void)
{
    world_start(&world);
}

static void end(void)
{
    world_stop(&world);
}

TestSuite(images, .init = begin, .fini = end, .timeout = 60);

/* Garbage is collected in the background. */
static void await_store_count(size_t count)
{
    for (int waited_ms = 0; waited_ms < 10000 && fake_store_count(world.content) != count; waited_ms += 5) {
        (void)poll(NULL, 0, 5);
    }
    cr_assert_eq(fake_store_count(world.content), count);
}

static enum bh_code inspect(struct bh_channel *api, const char *reference, struct bh_message **ret_message,
                            struct bh_error *error)
{
    Bulkhead__InspectImage body = BULKHEAD__INSPECT_IMAGE__INIT;
    body.reference = (char *)(uintptr_t)reference;
    API(packet, INSPECT_IMAGE, inspect_image, &body);
    *ret_message = ask(api, &packet, NULL, 0, BULKHEAD__ENGINE_TO_API__BODY_IMAGE_DETAILS, error);
    return *ret_message ? BH_OK : error->code;
}

static enum bh_code tag(const char *source, const char *target, struct bh_error *error)
{
    Bulkhead__TagImage body = BULKHEAD__TAG_IMAGE__INIT;
    body.source = (char *)(uintptr_t)source;
    body.target = (char *)(uintptr_t)target;
    API(packet, TAG_IMAGE, tag_image, &body);
    bh_automessage struct bh_message *message =
        ask(world.root, &packet, NULL, 0, BULKHEAD__ENGINE_TO_API__BODY_DONE, error);
    return message ? BH_OK : error->code;
}

/* Deletes; *ret_untagged and *ret_deleted count what was told. */
static enum bh_code remove_image(const char *reference, bool force, size_t *ret_untagged, size_t *ret_deleted,
                                 struct bh_error *error)
{
    Bulkhead__DeleteImage body = BULKHEAD__DELETE_IMAGE__INIT;
    bh_autocall struct bh_call *call = NULL;
    body.reference = (char *)(uintptr_t)reference;
    body.force = force;
    *ret_untagged = *ret_deleted = 0;
    API(packet, DELETE_IMAGE, delete_image, &body);
    bh_error_clear(error);
    cr_assert_eq(bh_call_start(world.root, &packet.base, NULL, 0, 0, &call, error), 0);
    for (;;) {
        bh_automessage struct bh_message *message = NULL;
        if (bh_call_next(call, &message, error) < 0) {
            return error->code;
        }
        if (!message->more) {
            return BH_OK;
        }
        const Bulkhead__ImageDeleted *one = bh_message_body(message);
        *ret_untagged += one->what_case == BULKHEAD__IMAGE_DELETED__WHAT_UNTAGGED;
        *ret_deleted += one->what_case == BULKHEAD__IMAGE_DELETED__WHAT_DELETED;
    }
}

Test(images, are_pulled_with_dockers_progress)
{
    struct bh_error error = {0};
    bh_autocall struct bh_call *call = NULL;
    static char reference[] = "busybox:latest";
    char status[128] = "", digest[BH_DIGEST_TEXT_SIZE] = "";
    bool seen[16] = {0};
    Bulkhead__PullImage body = BULKHEAD__PULL_IMAGE__INIT;
    body.reference = reference;
    API(packet, PULL_IMAGE, pull_image, &body);
    for (int round = 0; round < 2; round++) {
        cr_assert_eq(bh_call_start(world.root, &packet.base, NULL, 0, 0, &call, &error), 0);
        for (bool more = true; more;) {
            bh_automessage struct bh_message *message = NULL;
            cr_assert_eq(bh_call_next(call, &message, &error), 0, "%s", error.message);
            more = message->more;
            if (more) {
                const Bulkhead__Progress *progress = bh_message_body(message);
                seen[progress->kind] = true;
                if (progress->kind == KIND(STATUS)) {
                    (void)snprintf(status, sizeof status, "%s", progress->text);
                } else if (progress->kind == KIND(DIGEST)) {
                    (void)snprintf(digest, sizeof digest, "%s", progress->text);
                } else if (progress->kind == KIND(PULLING_FROM)) {
                    cr_assert_str_eq(progress->id, "latest");
                    cr_assert_str_eq(progress->text, "library/busybox");
                }
            }
        }
        bh_call_free(call);
        call = NULL;
        cr_assert_str_eq(status, round == 0 ? "Status: Downloaded newer image for busybox:latest"
                                            : "Status: Image is up to date for busybox:latest");
    }
    struct bh_digest index = fake_digest("index amd64 manifest");
    char wanted[BH_DIGEST_TEXT_SIZE];
    cr_assert_str_eq(digest, bh_digest_text(&index, wanted));
    cr_assert(seen[KIND(PULLING_FROM)] && seen[KIND(PULLING_LAYER)] && seen[KIND(DOWNLOAD_COMPLETE)] &&
              seen[KIND(PULL_COMPLETE)] && seen[KIND(ALREADY_EXISTS)]);
    cr_assert(fake_store_has(world.content, "the bytes of layer one", true));
    cr_assert_eq(fake_registry_fetches(world.content), 3, "a config and two layers, once");
    struct bh_message *details = NULL;
    cr_assert_eq(inspect(world.root, "busybox", &details, &error), BH_OK, "%s", error.message);
    const Bulkhead__ImageDetails *image = bh_message_body(details);
    cr_assert_eq(image->n_layers, 2);
    cr_assert_eq(image->summary->size_bytes, 2000);
    cr_assert_str_eq(image->summary->tags[0], "busybox:latest");
    cr_assert_eq(image->summary->n_digests, 1);
    bh_message_free(details);
}

Test(images, of_others_are_used_only_if_the_registry_says_so)
{
    struct bh_error error;
    struct bh_message *details = NULL;
    fake_registry_require(world.content, "alice");
    cr_assert_eq(try_pull(world.root, "busybox:latest", "alice", &error), BH_OK, "%s", error.message);
    size_t fetches = fake_registry_fetches(world.content);
    cr_assert_eq(try_pull(world.other, "busybox:latest", "mallory", &error), BH_PERMISSION_DENIED);
    cr_assert_eq(inspect(world.other, "busybox", &details, &error), BH_NOT_FOUND);
    cr_assert_eq(try_pull(world.other, "busybox:latest", "alice", &error), BH_OK, "%s", error.message);
    cr_assert_eq(fake_registry_fetches(world.content), fetches, "what is here is not fetched again");
    cr_assert_eq(inspect(world.other, "busybox", &details, &error), BH_OK);
    bh_message_free(details);
}

Test(images, pulled_twice_at_once_are_fetched_once)
{
    struct bh_error error = {0};
    struct bh_call *calls[2];
    static char reference[] = "busybox:latest";
    Bulkhead__PullImage body = BULKHEAD__PULL_IMAGE__INIT;
    body.reference = reference;
    API(packet, PULL_IMAGE, pull_image, &body);
    fake_registry_hold(world.content, true);
    cr_assert_eq(bh_call_start(world.root, &packet.base, NULL, 0, 0, &calls[0], &error), 0);
    cr_assert_eq(bh_call_start(world.other, &packet.base, NULL, 0, 0, &calls[1], &error), 0);
    fake_registry_await_fetch(world.content);
    fake_registry_hold(world.content, false);
    for (int i = 0; i < 2; i++) {
        for (bool more = true; more;) {
            bh_automessage struct bh_message *message = NULL;
            cr_assert_eq(bh_call_next(calls[i], &message, &error), 0, "%s", error.message);
            more = message->more;
        }
        bh_call_free(calls[i]);
    }
    cr_assert_eq(fake_registry_fetches(world.content), 3);
}

Test(images, half_pulled_leave_nothing_and_can_be_pulled_again)
{
    struct bh_error error;
    struct bh_message *details = NULL;
    fake_registry_break(world.content, "layer2", true);
    cr_assert_eq(try_pull(world.root, "busybox:latest", "", &error), BH_UNAVAILABLE, "%s", error.message);
    cr_assert(strstr(error.message, "stopped in the middle"), "%s", error.message);
    cr_assert_eq(inspect(world.root, "busybox", &details, &error), BH_NOT_FOUND);
    await_store_count(0);
    fake_registry_break(world.content, "layer2", false);
    pull(world.root, "busybox:latest");
}

Test(images, whose_layers_are_not_what_the_config_says_are_refused)
{
    struct bh_error error;
    struct bh_message *details = NULL;
    fake_extractor_lie(world.content, true);
    cr_assert_eq(try_pull(world.root, "busybox:latest", "", &error), BH_DATA_LOSS, "%s", error.message);
    cr_assert_eq(inspect(world.root, "busybox", &details, &error), BH_NOT_FOUND);
    await_store_count(0);
}

Test(images, of_another_platform_are_refused)
{
    struct bh_error error;
    fake_registry_add(world.content, "index", "index riscv64 manifest");
    cr_assert_eq(try_pull(world.root, "busybox:latest", "", &error), BH_NOT_FOUND);
    cr_assert(strstr(error.message, "no matching manifest for linux/"), "%s", error.message);
    cr_assert_eq(try_pull(world.root, "Bad/Name", "", &error), BH_INVALID_ARGUMENT);
    cr_assert_eq(try_pull(world.root, "busybox:nosuchtag", "", &error), BH_NOT_FOUND);
}

Test(images, whose_pull_is_cancelled_are_given_up)
{
    struct bh_error error = {0};
    struct bh_call *call = NULL;
    struct bh_message *details = NULL;
    static char reference[] = "busybox:latest";
    Bulkhead__PullImage body = BULKHEAD__PULL_IMAGE__INIT;
    body.reference = reference;
    API(packet, PULL_IMAGE, pull_image, &body);
    fake_registry_hold(world.content, true);
    cr_assert_eq(bh_call_start(world.root, &packet.base, NULL, 0, 0, &call, &error), 0);
    fake_registry_await_fetch(world.content);
    bh_call_free(call); /* the client goes away */
    fake_registry_hold(world.content, false);
    await_store_count(0);
    cr_assert_eq(inspect(world.root, "busybox", &details, &error), BH_NOT_FOUND);
    pull(world.root, "busybox:latest");
}

Test(images, are_named_and_removed_by_dockers_rules)
{
    struct bh_error error;
    size_t untagged, deleted;
    struct bh_message *details = NULL;
    pull(world.root, "busybox:latest");
    cr_assert_eq(tag("busybox", "example.com/team/box:1", &error), BH_OK, "%s", error.message);
    cr_assert_eq(tag("nosuch", "x:1", &error), BH_NOT_FOUND);
    cr_assert_str_eq(error.message, "No such image: nosuch:latest");
    struct bh_digest id = fake_digest("config layer1 layer2");
    char hex[BH_DIGEST_HEX_SIZE];
    (void)bh_digest_hex(&id, hex);
    hex[12] = '\0';
    cr_assert_eq(remove_image(hex, false, &untagged, &deleted, &error), BH_FAILED_PRECONDITION);
    cr_assert(strstr(error.message, "image is referenced in multiple repositories"), "%s", error.message);
    cr_assert_eq(remove_image("example.com/team/box:1", false, &untagged, &deleted, &error), BH_OK);
    cr_assert_eq(untagged, 1);
    cr_assert_eq(deleted, 0);
    cr_assert_eq(remove_image("busybox", false, &untagged, &deleted, &error), BH_OK, "%s", error.message);
    cr_assert_eq(untagged, 2, "its tag and its digest");
    cr_assert_eq(deleted, 3, "the image and its two layers");
    cr_assert_eq(inspect(world.root, "busybox", &details, &error), BH_NOT_FOUND);
    await_store_count(0);
}

Test(images, in_use_are_kept)
{
    struct bh_error error;
    size_t untagged, deleted;
    char id[BH_DIGEST_HEX_SIZE];
    pull(world.root, "busybox:latest");
    cr_assert_eq(create(world.root, "web", false, id, &error), BH_OK);
    cr_assert_eq(remove_image("busybox", false, &untagged, &deleted, &error), BH_FAILED_PRECONDITION);
    cr_assert(
        strstr(error.message, "conflict: unable to remove repository reference \"busybox\" (must force) - container "),
        "%s", error.message);
    cr_assert_eq(start(world.root, "web", &error), BH_OK);
    struct bh_digest image = fake_digest("config layer1 layer2");
    char hex[BH_DIGEST_HEX_SIZE];
    (void)bh_digest_hex(&image, hex);
    cr_assert_eq(remove_image(hex, true, &untagged, &deleted, &error), BH_FAILED_PRECONDITION,
                 "a running container's image is not even removed by force");
    cr_assert_eq(remove_image("busybox", true, &untagged, &deleted, &error), BH_OK, "its name is: %s", error.message);
    cr_assert_eq(deleted, 0, "but the image stays");
    cr_assert_eq(kill_one(world.root, "web", "KILL", &error), BH_OK);
    cr_assert_eq(remove_image(hex, true, &untagged, &deleted, &error), BH_OK, "%s", error.message);
    cr_assert(fake_store_has(world.content, "the bytes of layer one", true), "the container still needs it");
    cr_assert_eq(start(world.root, "web", &error), BH_OK, "and starts");
    cr_assert_eq(delete_one(world.root, "web", true, &error), BH_OK);
    await_store_count(0);
}

Test(images, of_one_tenant_survive_what_another_does)
{
    struct bh_error error;
    size_t untagged, deleted;
    struct bh_message *details = NULL;
    pull(world.root, "busybox:latest");
    pull(world.other, "busybox:latest");
    cr_assert_eq(remove_image("busybox", true, &untagged, &deleted, &error), BH_OK);
    pull(world.root, "busybox:latest"); /* has a sweep come and go */
    cr_assert_eq(inspect(world.other, "busybox", &details, &error), BH_OK);
    bh_message_free(details);
    cr_assert(fake_store_has(world.content, "the bytes of layer two", true));
}

/* Sends an archive, and if it is `whole` the word that it is. */
static struct bh_call *send_archive(const char *archive, bool whole)
{
    struct bh_error error = {0};
    int bytes[2], word[2];
    struct bh_call *call = NULL;
    Bulkhead__LoadImages body = BULKHEAD__LOAD_IMAGES__INIT;
    API(packet, LOAD_IMAGES, load_images, &body);
    cr_assert_eq(pipe2(bytes, O_CLOEXEC), 0);
    cr_assert_eq(pipe2(word, O_CLOEXEC), 0);
    cr_assert_eq(bh_call_start(world.root, &packet.base, (const int[]){bytes[0], word[0]}, 2, 0, &call, &error), 0);
    bh_close(&bytes[0]);
    bh_close(&word[0]);
    cr_assert_eq(write(bytes[1], archive, strlen(archive)), (ssize_t)strlen(archive));
    if (whole) {
        cr_assert_eq(write(word[1], "", 1), 1);
    }
    bh_close(&bytes[1]);
    bh_close(&word[1]);
    return call;
}

static const char archive[] = "docker.io/library/loaded:1|config layer1|the bytes of layer one";

Test(images, are_not_loaded_from_an_archive_that_was_broken_off)
{
    struct bh_error error = {0};
    struct bh_message *message = NULL;
    bh_autocall struct bh_call *call = send_archive(archive, false);
    while (bh_call_next(call, &message, &error) == 0) {
        cr_assert_eq(message->kind, BULKHEAD__ENGINE_TO_API__BODY_PROGRESS,
                     "nothing is loaded, and it does not end well");
        bh_message_free(message);
    }
    cr_assert_eq(error.code, BH_CANCELLED, "%s", error.message);
    cr_assert_eq(inspect(world.root, "loaded:1", &message, &error), BH_NOT_FOUND);
    await_store_count(0);
}

Test(images, are_loaded_from_an_archive)
{
    struct bh_error error = {0};
    struct bh_message *details = NULL;
    bool told = false;
    bh_autocall struct bh_call *call = send_archive(archive, true);
    for (bool more = true; more;) {
        bh_automessage struct bh_message *message = NULL;
        cr_assert_eq(bh_call_next(call, &message, &error), 0, "%s", error.message);
        more = message->more;
        if (message->kind == BULKHEAD__ENGINE_TO_API__BODY_IMAGE_LOADED) {
            const Bulkhead__ImageLoaded *loaded = bh_message_body(message);
            cr_assert_str_eq(loaded->references[0], "loaded:1");
            told = true;
        }
    }
    cr_assert(told);
    cr_assert_eq(inspect(world.root, "loaded:1", &details, &error), BH_OK, "%s", error.message);
    bh_message_free(details);
    cr_assert_eq(inspect(world.other, "loaded:1", &details, &error), BH_NOT_FOUND);
}

Test(images, that_are_no_archive_are_refused)
{
    struct bh_error error = {0};
    struct bh_message *message = NULL;
    bh_autocall struct bh_call *call = send_archive("garbage", true);
    while (bh_call_next(call, &message, &error) == 0) {
        cr_assert(message->more, "it does not end well");
        bh_message_free(message);
    }
    cr_assert_eq(error.code, BH_INVALID_ARGUMENT, "%s", error.message);
}
