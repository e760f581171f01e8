/* SPDX-License-Identifier: Apache-2.0
 *
 * See changes_config.h.
 */
#include "changes_config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/fields.h"
#include "common/limits.h"
#include "json_read.h"

#define PORTS_MAX 4096 /* as many as an image's config may have */

void strings_end(struct strings *strings)
{
    clear_strings(&strings->list, &strings->n);
}

void clear_strings(char ***list, size_t *n_list)
{
    for (size_t i = 0; i < *n_list; i++) {
        free((*list)[i]);
    }
    free(*list);
    *list = NULL;
    *n_list = 0;
}

int add_to_set(char ***set, size_t *n_set, const char *text, struct bh_error *error)
{
    for (size_t i = 0; i < *n_set; i++) {
        if (strcmp((*set)[i], text) == 0) {
            return 0;
        }
    }
    return strings_append(set, n_set, text, error);
}

int set_env(Bulkhead__ImageConfig *config, const char *name, const char *value, struct bh_error *error)
{
    bh_autofree char *entry = NULL;
    size_t length = strlen(name);
    if (asprintf(&entry, "%s=%s", name, value) < 0) {
        entry = NULL;
        return out_of_memory(error);
    }
    for (size_t i = 0; i < config->n_env; i++) {
        if (strncmp(config->env[i], name, length) == 0 && (config->env[i][length] == '=' || !config->env[i][length])) {
            return string_set(&config->env[i], entry, error);
        }
    }
    return strings_append(&config->env, &config->n_env, entry, error);
}

int set_label(Bulkhead__ImageConfig *config, const char *name, const char *value, struct bh_error *error)
{
    for (size_t i = 0; i < config->n_labels; i++) {
        if (strcmp(config->labels[i]->key, name) == 0) {
            return string_set(&config->labels[i]->value, value, error);
        }
    }
    Bulkhead__KeyValue **grown = reallocarray(config->labels, config->n_labels + 1, sizeof *grown);
    Bulkhead__KeyValue *label = grown ? malloc(sizeof *label) : NULL;
    config->labels = grown ? grown : config->labels;
    if (!label) {
        return out_of_memory(error);
    }
    bulkhead__key_value__init(label);
    config->labels[config->n_labels++] = label;
    return string_set(&label->key, name, error) < 0 || string_set(&label->value, value, error) < 0 ? -1 : 0;
}

/* "8000" or "8000-8010". */
static bool parse_range(const char *text, size_t length, unsigned *ret_first, unsigned *ret_last)
{
    unsigned bounds[2] = {0};
    size_t at = 0, n = 0;
    for (; n < 2; n++) {
        size_t start = at;
        while (at < length && text[at] >= '0' && text[at] <= '9' && bounds[n] <= 65535) {
            bounds[n] = bounds[n] * 10 + (unsigned)(text[at++] - '0');
        }
        if (at == start || bounds[n] > 65535) {
            return false;
        }
        if (n == 0 && at == length) {
            bounds[1] = bounds[0];
            break;
        }
        if (n == 0 && text[at++] != '-') {
            return false;
        }
    }
    *ret_first = bounds[0];
    *ret_last = bounds[1];
    return at == length && bounds[0] <= bounds[1];
}

int add_ports(Bulkhead__ImageConfig *config, const char *text, struct bh_error *error)
{
    const char *slash = strchr(text, '/');
    const char *protocol = slash ? slash + 1 : "tcp";
    unsigned first, last;
    if (strcasecmp(protocol, "tcp") != 0 && strcasecmp(protocol, "udp") != 0 && strcasecmp(protocol, "sctp") != 0) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "invalid proto: %.32s in \"%.64s\": it must be tcp, udp or sctp", protocol, text);
    }
    if (!parse_range(text, slash ? (size_t)(slash - text) : strlen(text), &first, &last)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "invalid containerPort: %.64s: it must be like 80, 80/udp or 8000-8010", text);
    }
    for (unsigned port = first; port <= last; port++) {
        char name[32];
        (void)snprintf(name, sizeof name, "%u/%s", port,
                       strcasecmp(protocol, "udp") == 0    ? "udp"
                       : strcasecmp(protocol, "sctp") == 0 ? "sctp"
                                                           : "tcp");
        if (config->n_exposed_ports >= PORTS_MAX) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "EXPOSE %.64s: an image has at most %d ports", text,
                                PORTS_MAX);
        }
        if (add_to_set(&config->exposed_ports, &config->n_exposed_ports, name, error) < 0) {
            return -1;
        }
    }
    return 0;
}

int join_working_dir(Bulkhead__ImageConfig *config, const char *path, struct bh_error *error)
{
    char clean[BH_PATH_BYTES_MAX + 2] = "";
    bh_autofree char *joined = NULL;
    if (asprintf(&joined, "%s/%s", config->working_dir, path) < 0) {
        joined = NULL;
        return out_of_memory(error);
    }
    if (strlen(joined) > BH_PATH_BYTES_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "WORKDIR: the path is longer than %d bytes", BH_PATH_BYTES_MAX);
    }
    char *rest = joined;
    for (char *part; (part = strsep(&rest, "/"));) {
        char *last = strrchr(clean, '/');
        if (strcmp(part, "..") == 0 && last) {
            *last = '\0';
        } else if (*part && strcmp(part, ".") != 0 && strcmp(part, "..") != 0) {
            strcat(clean, "/");
            strcat(clean, part);
        }
    }
    return string_set(&config->working_dir, *clean ? clean : "/", error);
}
