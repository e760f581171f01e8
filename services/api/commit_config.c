/* SPDX-License-Identifier: Apache-2.0
 *
 * See commit_config.h.
 */
#include "commit_config.h"

#include <stdlib.h>
#include <string.h>

#include "changes.h"
#include "changes_config.h"
#include "common/fields.h"

static void config_cleanup(Bulkhead__ImageConfig **config)
{
    if (*config) {
        bulkhead__image_config__free_unpacked(*config, NULL);
    }
}
#define auto_config __attribute__((cleanup(config_cleanup))) Bulkhead__ImageConfig

static int copy_config(const Bulkhead__ImageConfig *config, Bulkhead__ImageConfig **ret_copy, struct bh_error *error)
{
    ProtobufCMessage *copy = NULL;
    if (message_copy(&config->base, &copy, error) < 0) {
        return -1;
    }
    *ret_copy = (Bulkhead__ImageConfig *)copy;
    return 0;
}

/* "NAME=value" takes the place of an earlier one of that name; a "NAME" alone says nothing about an image. */
static int put_variable(Bulkhead__ImageConfig *config, const char *variable, struct bh_error *error)
{
    const char *equals = strchr(variable, '=');
    if (!equals) {
        return 0;
    }
    char *name = strndup(variable, (size_t)(equals - variable));
    int result = name ? set_env(config, name, equals + 1, error)
                      : bh_error_set(error, BH_RESOURCE_EXHAUSTED, "no memory for a configuration");
    free(name);
    return result;
}

static int put_all(char ***set, size_t *n_set, char *const *more, size_t n_more, struct bh_error *error)
{
    for (size_t i = 0; i < n_more; i++) {
        if (add_to_set(set, n_set, more[i], error) < 0) {
            return -1;
        }
    }
    return 0;
}

static int put_healthcheck(Bulkhead__ImageConfig *config, const Bulkhead__Healthcheck *check, struct bh_error *error)
{
    ProtobufCMessage *copy = NULL;
    if (!check) {
        return 0;
    }
    if (message_copy(&check->base, &copy, error) < 0) {
        return -1;
    }
    if (config->healthcheck) {
        bulkhead__healthcheck__free_unpacked(config->healthcheck, NULL);
    }
    config->healthcheck = (Bulkhead__Healthcheck *)copy;
    return 0;
}

static int replace(char ***list, size_t *n_list, char *const *with, size_t n_with, struct bh_error *error)
{
    clear_strings(list, n_list);
    return strings_append_all(list, n_list, with, n_with, error);
}

/* What a client asked for, over what is there: an entrypoint of its own takes the command away. */
static int lay_over(Bulkhead__ImageConfig *config, const Bulkhead__ContainerRequest *request, struct bh_error *error)
{
    bool own_entrypoint = request->entrypoint_set || request->n_entrypoint > 0;
    for (size_t i = 0; i < request->n_env; i++) {
        if (put_variable(config, request->env[i], error) < 0) {
            return -1;
        }
    }
    for (size_t i = 0; i < request->n_labels; i++) {
        if (set_label(config, request->labels[i]->key, request->labels[i]->value, error) < 0) {
            return -1;
        }
    }
    if ((own_entrypoint && (replace(&config->entrypoint, &config->n_entrypoint, request->entrypoint,
                                    request->n_entrypoint, error) < 0)) ||
        ((own_entrypoint || request->n_cmd > 0) &&
         replace(&config->cmd, &config->n_cmd, request->cmd, request->n_cmd, error) < 0)) {
        return -1;
    }
    return (*request->user && string_set(&config->user, request->user, error) < 0) ||
                   (*request->working_dir && string_set(&config->working_dir, request->working_dir, error) < 0) ||
                   (*request->stop_signal && string_set(&config->stop_signal, request->stop_signal, error) < 0) ||
                   put_all(&config->exposed_ports, &config->n_exposed_ports, request->exposed_ports,
                           request->n_exposed_ports, error) < 0 ||
                   put_all(&config->volumes, &config->n_volumes, request->volumes, request->n_volumes, error) < 0 ||
                   put_healthcheck(config, request->healthcheck, error) < 0
               ? -1
               : 0;
}

/* The container's own: the image's, completed by what it was created with. An image's triggers and shell are for
 * builds. */
static int of_container(const Bulkhead__ContainerDetails *details, Bulkhead__ImageConfig **ret_config,
                        struct bh_error *error)
{
    auto_config *config = NULL;
    if (copy_config(details->image_config, &config, error) < 0) {
        return -1;
    }
    clear_strings(&config->on_build, &config->n_on_build);
    clear_strings(&config->shell, &config->n_shell);
    if (lay_over(config, details->request, error) < 0) {
        return -1;
    }
    *ret_config = config;
    config = NULL;
    return 0;
}

static bool has_variable(const Bulkhead__ImageConfig *config, const char *variable)
{
    size_t n = strcspn(variable, "=");
    for (size_t i = 0; i < config->n_env; i++) {
        if (strncmp(config->env[i], variable, n) == 0 && (config->env[i][n] == '=' || config->env[i][n] == '\0')) {
            return true;
        }
    }
    return false;
}

static bool has_label(const Bulkhead__ImageConfig *config, const char *key)
{
    for (size_t i = 0; i < config->n_labels; i++) {
        if (strcmp(config->labels[i]->key, key) == 0) {
            return true;
        }
    }
    return false;
}

/* What the client left out is the container's. */
static int complete(Bulkhead__ImageConfig *config, const Bulkhead__ImageConfig *own, struct bh_error *error)
{
    for (size_t i = 0; i < own->n_env; i++) {
        if (!has_variable(config, own->env[i]) && put_variable(config, own->env[i], error) < 0) {
            return -1;
        }
    }
    for (size_t i = 0; i < own->n_labels; i++) {
        if (!has_label(config, own->labels[i]->key) &&
            set_label(config, own->labels[i]->key, own->labels[i]->value, error) < 0) {
            return -1;
        }
    }
    if (config->n_entrypoint == 0 &&
        ((config->n_cmd == 0 && replace(&config->cmd, &config->n_cmd, own->cmd, own->n_cmd, error) < 0) ||
         replace(&config->entrypoint, &config->n_entrypoint, own->entrypoint, own->n_entrypoint, error) < 0)) {
        return -1;
    }
    return (!*config->user && string_set(&config->user, own->user, error) < 0) ||
                   (!*config->working_dir && string_set(&config->working_dir, own->working_dir, error) < 0) ||
                   (!*config->stop_signal && string_set(&config->stop_signal, own->stop_signal, error) < 0) ||
                   put_all(&config->exposed_ports, &config->n_exposed_ports, own->exposed_ports, own->n_exposed_ports,
                           error) < 0 ||
                   put_all(&config->volumes, &config->n_volumes, own->volumes, own->n_volumes, error) < 0 ||
                   (!config->healthcheck && put_healthcheck(config, own->healthcheck, error) < 0)
               ? -1
               : 0;
}

int commit_config_make(const Bulkhead__ContainerDetails *details, const Bulkhead__ContainerRequest *body,
                       const struct http_target *target, Bulkhead__ImageConfig **ret_config, struct bh_error *error)
{
    auto_config *own = NULL, *config = NULL;
    Bulkhead__ImageConfig nothing = BULKHEAD__IMAGE_CONFIG__INIT;
    if (of_container(details, &own, error) < 0 || copy_config(body ? &nothing : own, &config, error) < 0 ||
        (body && lay_over(config, body, error) < 0) || changes_apply_parameters(target, config, error) < 0 ||
        (body && complete(config, own, error) < 0)) {
        return -1;
    }
    *ret_config = config;
    config = NULL;
    return 0;
}
