/* SPDX-License-Identifier: Apache-2.0
 *
 * Credentials: who gets them, and who must not (CVE-2020-15157). TLS: whom to trust. Against registry.py and Debian's
 * docker-registry.
 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/io.h"
#include "stage.h"

#define USER     "alice"
#define PASSWORD "secret"
#define BASIC    "Basic_YWxpY2U6c2VjcmV0" /* as registry.py logs it */

static struct stage stage;
static struct server server, other;

static void setup(void)
{
    stage_make_root(&stage);
    stage_add_manifest(&stage, "test", "latest", "{\"schemaVersion\":2}");
}

static void teardown(void)
{
    stage_stop(&stage);
    server_stop(&server);
    server_stop(&other);
}

TestSuite(login, .init = setup, .fini = teardown, .timeout = 90);

static Bulkhead__Credentials credentials(const char *user, const char *password)
{
    Bulkhead__Credentials result = BULKHEAD__CREDENTIALS__INIT;
    result.username = (char *)(uintptr_t)user;
    result.password = (char *)(uintptr_t)password;
    return result;
}

static struct fetched fetch_as(const char *user, const char *password)
{
    Bulkhead__Credentials given = credentials(user, password);
    struct bh_error error;
    cr_assert_eq(stage_open(&stage, server.address, "test", &given, &error), 0, "%s", error.message);
    return stage_manifest(&stage, "latest", NULL);
}

static void serve(const char *auth)
{
    server_start(&server, stage.root,
                 (const char *const[]){"--auth", auth, "--user", USER, "--password", PASSWORD, NULL});
}

static void expect_right_and_wrong(void)
{
    autofetched struct fetched right = fetch_as(USER, PASSWORD);
    cr_expect_eq(right.result, 0, "%s", right.text);
    autofetched struct fetched wrong = fetch_as(USER, "wrong");
    cr_expect_eq(wrong.error.code, BH_UNAUTHENTICATED, "%s", wrong.text);
    autofetched struct fetched nobody = fetch_as("", "");
    cr_expect_eq(nobody.error.code, BH_UNAUTHENTICATED, "%s", nobody.text);
}

Test(login, basic)
{
    stage_start(&stage, NULL);
    serve("basic");
    expect_right_and_wrong();
}

Test(login, bearer)
{
    stage_start(&stage, NULL);
    serve("bearer");
    expect_right_and_wrong();
    cr_expect_eq(server_log_count(&server, "scope=repository%3Atest%3Apull"), 3, "asks for pulling and nothing else");
}

Test(login, bearer_for_anybody)
{
    stage_start(&stage, NULL);
    server_start(&server, stage.root, (const char *const[]){"--auth", "bearer", NULL});
    autofetched struct fetched fetched = fetch_as("", "");
    cr_expect_eq(fetched.result, 0, "%s", fetched.text);
}

Test(login, identity_token_is_given_and_accepted)
{
    stage_start(&stage, NULL);
    serve("bearer");
    struct bh_error error;
    Bulkhead__Credentials given = credentials(USER, PASSWORD);
    cr_assert_eq(stage_open(&stage, server.address, "", &given, &error), 0, "%s", error.message);
    bh_autofree char *token = NULL;
    cr_assert_eq(stage_login(&stage, &token, &error), 0, "%s", error.message);
    cr_assert_gt(strlen(token), 10);
    Bulkhead__Credentials identity = BULKHEAD__CREDENTIALS__INIT;
    identity.identity_token = token;
    cr_assert_eq(stage_open(&stage, server.address, "test", &identity, &error), 0);
    autofetched struct fetched fetched = stage_manifest(&stage, "latest", NULL);
    cr_expect_eq(fetched.result, 0, "%s", fetched.text);
}

Test(login, wrong_password_is_told)
{
    stage_start(&stage, NULL);
    serve("bearer");
    struct bh_error error;
    Bulkhead__Credentials given = credentials(USER, "wrong");
    cr_assert_eq(stage_open(&stage, server.address, "", &given, &error), 0);
    bh_autofree char *token = NULL;
    cr_expect_eq(stage_login(&stage, &token, &error), -1);
    cr_expect_eq(error.code, BH_UNAUTHENTICATED);
    cr_expect(strstr(error.message, "incorrect username or password"), "%s", error.message);
}

static char named_registry[64];

/* Another origin that the dialer lets us reach by its exact name: what remains is that we send it no secret. */
static void configure_named(Bulkhead__Config *config)
{
    static char loopback[] = "127.0.0.0/8";
    static char *insecure[] = {loopback, named_registry};
    config->insecure_registries = insecure;
    config->n_insecure_registries = 2;
}

Test(login, a_redirect_takes_no_credentials_along)
{
    char fault[160];
    server_start(&other, stage.root, (const char *const[]){"--auth", "basic", NULL});
    (void)snprintf(named_registry, sizeof(named_registry), "%s", other.address);
    stage_start(&stage, &(struct stage_options){.configure = configure_named});
    (void)snprintf(fault, sizeof(fault), "redirect-manifest=http://%s%%s", other.address);
    server_start(
        &server, stage.root,
        (const char *const[]){"--auth", "basic", "--user", USER, "--password", PASSWORD, "--fault", fault, NULL});
    autofetched struct fetched fetched = fetch_as(USER, PASSWORD);
    cr_expect_eq(fetched.error.code, BH_UNAUTHENTICATED, "%s", fetched.text);
    cr_expect_eq(server_log_count(&server, BASIC), 1, "the registry itself was shown them");
    cr_expect_eq(server_log_count(&other, "GET"), 1, "the other was asked once, and its 401 was not answered");
    cr_expect_eq(server_log_count(&other, BASIC), 0, "without a secret");
}

Test(login, a_redirect_to_a_named_host_is_followed)
{
    char fault[160];
    server_start(&other, stage.root, NULL);
    (void)snprintf(named_registry, sizeof(named_registry), "%s", other.address);
    stage_start(&stage, &(struct stage_options){.configure = configure_named});
    (void)snprintf(fault, sizeof(fault), "redirect=http://%s%%s", other.address);
    server_start(
        &server, stage.root,
        (const char *const[]){"--auth", "bearer", "--user", USER, "--password", PASSWORD, "--fault", fault, NULL});
    struct bh_digest digest = stage_add_blob(&stage, 100000);
    autofetched struct fetched manifest = fetch_as(USER, PASSWORD);
    cr_expect_eq(manifest.result, 0, "%s", manifest.text);
    autofetched struct fetched blob = stage_blob(&stage, &digest, 100000, 0, 0);
    cr_expect_eq(blob.result, 0, "%s", blob.text);
    cr_expect_eq(blob.n_bytes, 100000);
    cr_expect_eq(server_log_count(&other, " - -"), 1, "asked without a token");
}

Test(login, many_questions_at_once_ask_for_one_token)
{
    enum { N = 4, SIZE = 50000 };
    struct bh_call *calls[N];
    int pipes[N];
    char bytes[SIZE + 1];
    stage_start(&stage, NULL);
    serve("bearer");
    Bulkhead__Credentials given = credentials(USER, PASSWORD);
    struct bh_error error;
    struct bh_digest digests[N];
    for (int i = 0; i < N; i++) {
        digests[i] = stage_add_blob(&stage, SIZE - (size_t)i);
    }
    cr_assert_eq(stage_open(&stage, server.address, "test", &given, &error), 0, "%s", error.message);
    for (int i = 0; i < N; i++) {
        stage_blob_start(&stage, &digests[i], SIZE - (uint64_t)i, &calls[i], &pipes[i]);
    }
    for (int i = 0; i < N; i++) {
        size_t n = 0;
        cr_assert_eq(bh_read_full(pipes[i], bytes, sizeof(bytes), &n, "pipe", NULL), 0);
        cr_expect_eq(n, SIZE - (size_t)i);
        bh_call_free(calls[i]);
        (void)close(pipes[i]);
    }
    cr_expect_eq(server_log_count(&server, "GET /token"), 1);
}

Test(login, a_token_realm_on_another_host_gets_no_credentials)
{
    stage_start(&stage, NULL);
    server_start(&server, stage.root,
                 (const char *const[]){"--auth", "bearer", "--user", USER, "--password", PASSWORD, "--realm",
                                       "https://collector.example.com/token", NULL});
    autofetched struct fetched fetched = fetch_as(USER, PASSWORD);
    cr_expect_eq(fetched.error.code, BH_PERMISSION_DENIED, "%s", fetched.text);
    cr_expect(strstr(fetched.text, "asks to send its credentials to collector.example.com:443"), "%s", fetched.text);
}

Test(login, token_servers_that_misbehave)
{
    static const char *const faults[] = {"token-garbage", "token-big=70000", "token-big=300000", "token-status=500"};
    stage_start(&stage, NULL);
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        server_start(&server, stage.root, (const char *const[]){"--auth", "bearer", "--fault", faults[i], NULL});
        autofetched struct fetched fetched = fetch_as("", "");
        cr_expect_eq(fetched.result, -1, "%s", faults[i]);
        cr_expect_eq(fetched.n_bytes, 0);
        server_stop(&server);
    }
}

/* ---- TLS -------------------------------------------------------------------------------------------- */

static char ca[128], cert[128], key[128];

static void make_certificates(void)
{
    server_make_certificates(stage.root);
    (void)snprintf(ca, sizeof(ca), "%s/ca.pem", stage.root);
    (void)snprintf(cert, sizeof(cert), "%s/cert.pem", stage.root);
    (void)snprintf(key, sizeof(key), "%s/key.pem", stage.root);
}

/* Loopback is a private registry here, and not an insecure one. */
static void configure_strict(Bulkhead__Config *config)
{
    static char loopback[] = "127.0.0.0/8", name[] = "localhost";
    static char *private_registries[] = {loopback, name};
    config->n_insecure_registries = 0;
    config->private_registries = private_registries;
    config->n_private_registries = 2;
}

Test(login, tls_by_a_registrys_own_ca)
{
    make_certificates();
    server_start(&server, stage.root, (const char *const[]){"--tls", cert, key, NULL});
    stage_start(&stage, &(struct stage_options){.ca = ca, .ca_for = server.address, .configure = configure_strict});
    autofetched struct fetched fetched = fetch_as("", "");
    cr_expect_eq(fetched.result, 0, "%s", fetched.text);
}

Test(login, tls_by_an_unknown_ca)
{
    make_certificates();
    server_start(&server, stage.root, (const char *const[]){"--tls", cert, key, NULL});
    stage_start(&stage, &(struct stage_options){.configure = configure_strict});
    autofetched struct fetched fetched = fetch_as(USER, PASSWORD);
    cr_expect_eq(fetched.error.code, BH_UNAVAILABLE);
    cr_expect(strstr(fetched.text, "tls: failed to verify certificate: x509: certificate signed by unknown authority"),
              "%s", fetched.text);
    cr_expect_eq(server_log_count(&server, "GET"), 0, "not a byte of HTTP was sent");
}

Test(login, tls_by_an_unknown_ca_of_an_insecure_registry)
{
    make_certificates();
    server_start(&server, stage.root, (const char *const[]){"--tls", cert, key, NULL});
    stage_start(&stage, NULL);
    autofetched struct fetched fetched = fetch_as("", "");
    cr_expect_eq(fetched.result, 0, "%s", fetched.text);
}

Test(login, plain_http_where_it_is_not_allowed)
{
    server_start(&server, stage.root, NULL);
    stage_start(&stage, &(struct stage_options){.configure = configure_strict});
    autofetched struct fetched fetched = fetch_as("", "");
    cr_expect_eq(fetched.error.code, BH_UNAVAILABLE, "%s", fetched.text);
    cr_expect_eq(server_log_count(&server, "GET"), 0);
}

/* Puts bytes where docker-registry keeps them: storage/driver/filesystem's layout, version 2. */
static void put(const char *root, const char *path, const void *bytes, size_t n_bytes)
{
    char full[512];
    (void)snprintf(full, sizeof(full), "%s/docker/registry/v2/%s", root, path);
    for (char *slash = strchr(full + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdir(full, 0755);
        *slash = '/';
    }
    bh_autoclose int fd = open(full, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    cr_assert_eq(bh_write_all(fd, bytes, n_bytes, full, NULL), 0);
}

static struct bh_digest put_blob(const char *root, const void *bytes, size_t n_bytes)
{
    struct bh_digest digest;
    char path[300], hex[BH_DIGEST_HEX_SIZE], text[BH_DIGEST_TEXT_SIZE];
    cr_assert_eq(bh_digest_of(bytes, n_bytes, &digest, NULL), 0);
    (void)bh_digest_hex(&digest, hex);
    (void)bh_digest_text(&digest, text);
    (void)snprintf(path, sizeof(path), "blobs/sha256/%.2s/%s/data", hex, hex);
    put(root, path, bytes, n_bytes);
    (void)snprintf(path, sizeof(path), "repositories/test/_layers/sha256/%s/link", hex);
    put(root, path, text, strlen(text));
    return digest;
}

Test(login, debians_docker_registry_with_tls_and_htpasswd)
{
    char folder[128], htpasswd[160];
    make_certificates();
    (void)snprintf(folder, sizeof(folder), "%s/registry", stage.root);
    cr_assert_eq(mkdir(folder, 0755), 0);
    (void)snprintf(htpasswd, sizeof(htpasswd), "%s/htpasswd", stage.root);
    server_run((const char *const[]){"htpasswd", "-Bbc", htpasswd, USER, PASSWORD, NULL});
    server_start_docker(&server, folder, stage.root);
    stage_start(&stage, &(struct stage_options){.ca = ca, .ca_for = server.address, .configure = configure_strict});
    struct bh_error error;
    bh_autofree char *token = NULL;
    Bulkhead__Credentials right = credentials(USER, PASSWORD), wrong = credentials(USER, "wrong");
    cr_assert_eq(stage_open(&stage, server.address, "", &right, &error), 0);
    cr_expect_eq(stage_login(&stage, &token, &error), 0, "%s", error.message);
    cr_assert_eq(stage_open(&stage, server.address, "", &wrong, &error), 0);
    cr_expect_eq(stage_login(&stage, &token, &error), -1);
    cr_expect_eq(error.code, BH_UNAUTHENTICATED, "%s", error.message);
    autofetched struct fetched fetched = fetch_as(USER, PASSWORD);
    cr_expect_eq(fetched.error.code, BH_NOT_FOUND, "%s", fetched.text);
    cr_expect(strstr(fetched.text, "manifest unknown"), "%s", fetched.text);
    /* The whole blob, its end, its size, and one that is not there. */
    static char bytes[2000000];
    memset(bytes + 5, 'x', 1000000);
    struct bh_digest digest = put_blob(folder, bytes, sizeof(bytes));
    autofetched struct fetched blob = stage_blob(&stage, &digest, sizeof(bytes), 0, 0);
    cr_assert_eq(blob.result, 0, "%s", blob.text);
    cr_assert_eq(blob.n_bytes, sizeof(bytes));
    cr_expect_arr_eq(blob.bytes, bytes, sizeof(bytes));
    autofetched struct fetched end = stage_blob(&stage, &digest, sizeof(bytes), 1000000, 0);
    cr_assert_eq(end.result, 0, "%s", end.text);
    cr_assert_eq(end.n_bytes, 1000000);
    cr_expect_arr_eq(end.bytes, bytes + 1000000, 1000000);
    uint64_t size = 0;
    cr_expect_eq(stage_check(&stage, &digest, &size, &error), 0, "%s", error.message);
    cr_expect_eq(size, sizeof(bytes));
    digest.bytes[0] ^= 1;
    cr_expect_eq(stage_check(&stage, &digest, &size, &error), -1);
    cr_expect_eq(error.code, BH_NOT_FOUND, "%s", error.message);
}
