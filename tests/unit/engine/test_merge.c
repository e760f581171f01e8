/* SPDX-License-Identifier: Apache-2.0
 *
 * The merge: Docker's rules for what an image says and what a client asks for.
 */
#include <criterion/criterion.h>
#include <string.h>
#include <sys/capability.h>

#include "services/engine/merge.h"

#define SAY(message, field, ...)                                                                                       \
    do {                                                                                                               \
        static char *list_[] = {__VA_ARGS__};                                                                          \
        (message).field = list_;                                                                                       \
        (message).n_##field = sizeof list_ / sizeof *list_;                                                            \
    } while (0)
#define TEXT(text) ((char *)(uintptr_t)(text))

static Bulkhead__ImageConfig image;
static Bulkhead__ContainerRequest request;

static void begin(void)
{
    bulkhead__image_config__init(&image);
    bulkhead__container_request__init(&request);
    request.network = BULKHEAD__NETWORK_MODE__NETWORK_MODE_NONE;
    request.seccomp = BULKHEAD__SECCOMP_MODE__SECCOMP_MODE_DEFAULT;
    SAY(image, cmd, TEXT("sh"));
}

TestSuite(merge, .init = begin);

static int merge_result(Bulkhead__ContainerSpec **ret_spec, struct bh_error *error)
{
    static const uint8_t id[32] = {0xab, 0xcd, 0xef, 0x01, 0x23, 0x45};
    static const struct bh_digest layers[2] = {{{1}}, {{2}}}, config = {{3}};
    const struct merge_facts facts = {.id = id,
                                      .tenant_uid = 7,
                                      .layers = layers,
                                      .n_layers = 2,
                                      .image = &config,
                                      .image_reference = "docker.io/library/busybox:latest",
                                      .host_name = "the-host"};
    return merge_container(&image, &request, &facts, ret_spec, error);
}

static Bulkhead__ContainerSpec *merge(void)
{
    struct bh_error error = {0};
    Bulkhead__ContainerSpec *spec = NULL;
    cr_assert_eq(merge_result(&spec, &error), 0, "%s", error.message);
    return spec;
}

static void done(Bulkhead__ContainerSpec *spec)
{
    bulkhead__container_spec__free_unpacked(spec, NULL);
}

/* "a|b|c" of a list. */
static const char *joined(char **list, size_t n)
{
    static char text[512];
    text[0] = '\0';
    for (size_t i = 0; i < n; i++) {
        (void)strncat(text, i ? "|" : "", sizeof text - strlen(text) - 1);
        (void)strncat(text, list[i], sizeof text - strlen(text) - 1);
    }
    return text;
}

static void check_args(const char *wanted)
{
    Bulkhead__ContainerSpec *spec = merge();
    cr_assert_str_eq(joined(spec->process->args, spec->process->n_args), wanted);
    done(spec);
}

Test(merge, command_and_entrypoint)
{
    check_args("sh");
    SAY(image, entrypoint, TEXT("/entry"), TEXT("-x"));
    check_args("/entry|-x|sh");
    SAY(request, cmd, TEXT("ls"), TEXT("-l"));
    check_args("/entry|-x|ls|-l");
    SAY(request, entrypoint, TEXT("/mine"));
    request.entrypoint_set = true;
    check_args("/mine|ls|-l");
    request.n_cmd = 0;
    check_args("/mine"); /* the image's command goes with its entrypoint */
}

Test(merge, an_emptied_entrypoint)
{
    SAY(image, entrypoint, TEXT("/entry"));
    SAY(request, entrypoint, TEXT(""));
    request.entrypoint_set = true;
    SAY(request, cmd, TEXT("ls"));
    check_args("ls");
    request.n_entrypoint = 0;
    request.n_cmd = 0;
    check_args("sh"); /* []: no entrypoint, the image's command */
}

Test(merge, nothing_to_run_is_refused)
{
    struct bh_error error = {0};
    Bulkhead__ContainerSpec *spec = NULL;
    image.n_cmd = 0;
    cr_assert_eq(merge_result(&spec, &error), -1);
    cr_assert_eq(error.code, BH_INVALID_ARGUMENT);
    cr_assert_str_eq(error.message, "no command specified");
    cr_assert_null(spec);
}

Test(merge, environment)
{
    SAY(image, env, TEXT("PATH=/image"), TEXT("A=image"), TEXT("B=image"), TEXT("=bad"), TEXT("NOVALUE"));
    SAY(request, env, TEXT("A=client"), TEXT("C="), TEXT("B"));
    request.tty = true;
    Bulkhead__ContainerSpec *spec = merge();
    cr_assert_str_eq(joined(spec->process->env, spec->process->n_env),
                     "PATH=/image|HOSTNAME=abcdef012345|TERM=xterm|A=client|C=");
    done(spec);
}

Test(merge, a_variable_without_a_name_is_refused)
{
    struct bh_error error = {0};
    Bulkhead__ContainerSpec *spec = NULL;
    SAY(request, env, TEXT("=x"));
    cr_assert_eq(merge_result(&spec, &error), -1);
    cr_assert_eq(error.code, BH_INVALID_ARGUMENT);
}

Test(merge, working_directory_and_user)
{
    struct bh_error error = {0};
    Bulkhead__ContainerSpec *spec = merge();
    cr_assert_str_eq(spec->process->cwd, "/");
    done(spec);
    image.working_dir = TEXT("srv");
    image.user = TEXT("app");
    spec = merge();
    cr_assert_str_eq(spec->process->cwd, "/srv");
    cr_assert_str_eq(spec->process->user, "app");
    done(spec);
    request.working_dir = TEXT("/mine");
    request.user = TEXT("1:2");
    spec = merge();
    cr_assert_str_eq(spec->process->cwd, "/mine");
    cr_assert_str_eq(spec->process->user, "1:2");
    done(spec);
    request.working_dir = TEXT("relative");
    cr_assert_eq(merge_result(&spec, &error), -1);
}

Test(merge, host_name)
{
    Bulkhead__ContainerSpec *spec = merge();
    cr_assert_str_eq(spec->host_name, "abcdef012345");
    done(spec);
    request.network = BULKHEAD__NETWORK_MODE__NETWORK_MODE_HOST;
    spec = merge();
    cr_assert_str_eq(spec->host_name, "the-host");
    done(spec);
    request.host_name_presence_case = BULKHEAD__CONTAINER_REQUEST__HOST_NAME_PRESENCE_HOST_NAME;
    request.host_name = TEXT("web");
    spec = merge();
    cr_assert_str_eq(spec->host_name, "web");
    done(spec);
}

Test(merge, defaults_are_safe)
{
    Bulkhead__ContainerSpec *spec = merge();
    cr_assert(spec->no_new_privileges);
    cr_assert_eq(__builtin_popcountll(spec->capabilities), 14);
    cr_assert_eq(spec->seccomp, BULKHEAD__SECCOMP_MODE__SECCOMP_MODE_DEFAULT);
    cr_assert_eq(spec->n_masked_paths, 12);
    cr_assert_eq(spec->n_read_only_paths, 5);
    cr_assert_eq(spec->shm_bytes, 64ULL << 20);
    cr_assert_eq(spec->log->driver, BULKHEAD__LOG_DRIVER__LOG_DRIVER_JSON_FILE);
    cr_assert_not_null(spec->resources);
    cr_assert_eq(spec->tenant_uid, 7);
    cr_assert_eq(spec->n_layers, 2);
    cr_assert_eq(spec->layers[1].data[0], 2);
    cr_assert_eq(spec->id_count, 0, "what is policyd's arrives empty");
    cr_assert_eq(spec->monitor_uid, 0);
    done(spec);
}

Test(merge, no_new_privileges_is_the_clients_to_turn_off)
{
    SAY(request, security_opt, TEXT("no-new-privileges=false"));
    Bulkhead__ContainerSpec *spec = merge();
    cr_assert_not(spec->no_new_privileges);
    done(spec);
    SAY(request, security_opt, TEXT("no-new-privileges:true"));
    request.privileged = true;
    spec = merge();
    cr_assert(spec->no_new_privileges);
    done(spec);
}

Test(merge, privileged_widens)
{
    request.privileged = true;
    Bulkhead__ContainerSpec *spec = merge();
    cr_assert_eq(spec->capabilities, MERGE_ALL_CAPABILITIES);
    cr_assert_eq(spec->seccomp, BULKHEAD__SECCOMP_MODE__SECCOMP_MODE_UNCONFINED);
    cr_assert_eq(spec->n_masked_paths, 0);
    cr_assert_eq(spec->n_read_only_paths, 0);
    cr_assert_not(spec->no_new_privileges);
    cr_assert(spec->privileged);
    cr_assert_eq(spec->n_devices, 1);
    cr_assert_str_eq(spec->devices[0]->host_path, "/dev");
    cr_assert_str_eq(spec->devices[0]->path, "/dev");
    cr_assert(spec->devices[0]->read && spec->devices[0]->write && spec->devices[0]->make);
    done(spec);
}

Test(merge, masked_paths_of_the_clients)
{
    request.masked_paths_set = true;
    SAY(request, masked_paths, TEXT("/proc/x"));
    Bulkhead__ContainerSpec *spec = merge();
    cr_assert_str_eq(joined(spec->masked_paths, spec->n_masked_paths), "/proc/x");
    cr_assert_eq(spec->n_read_only_paths, 0);
    done(spec);
}

Test(merge, capabilities)
{
    struct bh_error error = {0};
    uint64_t mask, standard;
    char *all[] = {TEXT("ALL")}, *net[] = {TEXT("net_admin")}, *chown[] = {TEXT("CAP_CHOWN")},
         *bad[] = {TEXT("CAP_X")};
    cr_assert_eq(merge_capabilities(NULL, 0, NULL, 0, &standard, &error), 0);
    cr_assert_eq(merge_capabilities(net, 1, chown, 1, &mask, &error), 0);
    cr_assert_eq(mask, (standard | 1ULL << CAP_NET_ADMIN) & ~(1ULL << CAP_CHOWN));
    cr_assert_eq(merge_capabilities(net, 1, all, 1, &mask, &error), 0);
    cr_assert_eq(mask, 1ULL << CAP_NET_ADMIN);
    cr_assert_eq(merge_capabilities(all, 1, chown, 1, &mask, &error), 0);
    cr_assert_eq(mask, MERGE_ALL_CAPABILITIES & ~(1ULL << CAP_CHOWN));
    cr_assert_eq(merge_capabilities(bad, 1, NULL, 0, &mask, &error), -1);
    cr_assert_eq(error.code, BH_INVALID_ARGUMENT);
}

Test(merge, labels)
{
    struct bh_error error = {0};
    Bulkhead__KeyValue a = BULKHEAD__KEY_VALUE__INIT, b = a, c = a;
    a.key = TEXT("k"), a.value = TEXT("image");
    b.key = TEXT("l"), b.value = TEXT("image");
    c.key = TEXT("k"), c.value = TEXT("client");
    Bulkhead__KeyValue *of_image[] = {&a, &b}, *of_client[] = {&c}, **labels = NULL;
    size_t n_labels = 0;
    image.labels = of_image, image.n_labels = 2;
    request.labels = of_client, request.n_labels = 1;
    cr_assert_eq(merge_labels(&image, &request, &labels, &n_labels, &error), 0);
    cr_assert_eq(n_labels, 2);
    cr_assert_str_eq(labels[0]->key, "l");
    cr_assert_str_eq(labels[1]->value, "client");
    free(labels);
}

Test(merge, limits_and_resources_are_copied)
{
    Bulkhead__ResourceLimit limit = BULKHEAD__RESOURCE_LIMIT__INIT, *limits[] = {&limit};
    Bulkhead__Resources resources = BULKHEAD__RESOURCES__INIT;
    limit.name = TEXT("nofile"), limit.soft = limit.hard = 10;
    resources.memory_bytes = 1 << 20;
    request.disk_bytes = 1 << 30;
    request.limits = limits, request.n_limits = 1;
    request.resources = &resources;
    Bulkhead__ContainerSpec *spec = merge();
    cr_assert_str_eq(spec->limits[0]->name, "nofile");
    cr_assert_eq(spec->resources->memory_bytes, 1 << 20);
    cr_assert_eq(spec->disk_bytes, 1 << 30);
    done(spec);
}
