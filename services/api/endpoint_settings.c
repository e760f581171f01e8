/* SPDX-License-Identifier: Apache-2.0
 *
 * See endpoint_settings.h.
 */
#include "endpoint_settings.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/ip.h"
#include "create.h"

static const char *const answers_only[] = {"NetworkID",           "EndpointID",  "Gateway",   "IPAddress",
                                           "IPPrefixLen",         "IPv6Gateway", "DNSNames",  "GlobalIPv6Address",
                                           "GlobalIPv6PrefixLen", "IPAMConfig",  "Links",     "Aliases",
                                           "MacAddress",          "DriverOpts",  "GwPriority"};

/* What looks like an option must be one we know. */
static int refuse_unknown(const json_t *settings, struct bh_error *error)
{
    union {
        const json_t *constant;
        json_t *plain;
    } walk = {.constant = settings};
    const char *key;
    json_t *item;
    json_object_foreach(walk.plain, key, item)
    {
        bool known = json_is_empty(item);
        for (size_t i = 0; !known && i < sizeof(answers_only) / sizeof(answers_only[0]); i++) {
            known = strcmp(key, answers_only[i]) == 0;
        }
        if (!known) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "unknown field \"EndpointSettings.%.64s\"", key);
        }
    }
    return 0;
}

static int check_address(const char *text, size_t n_bytes, struct bh_error *error)
{
    struct ip ip;
    return *text == '\0' || (ip_parse(text, &ip) && ip.n_bytes == n_bytes)
               ? 0
               : bh_error_set(error, BH_INVALID_ARGUMENT, "invalid IPv%d address: %.64s", n_bytes == 4 ? 4 : 6, text);
}

static int read_ipam(const json_t *ipam, Bulkhead__EndpointRequest *request, struct bh_error *error)
{
    if (!ipam || json_is_null(ipam)) {
        return 0;
    }
    if (!json_is_object(ipam)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid JSON: IPAMConfig must be an object");
    }
    request->ipam_set = true;
    const json_t *four = json_object_get(ipam, "IPv4Address"), *six = json_object_get(ipam, "IPv6Address");
    const json_t *link_local = json_object_get(ipam, "LinkLocalIPs");
    if ((four && take_string(four, "IPv4Address", &request->address4, error) < 0) ||
        (six && take_string(six, "IPv6Address", &request->address6, error) < 0) ||
        check_address(request->address4, 4, error) < 0 || check_address(request->address6, 16, error) < 0) {
        return -1;
    }
    return link_local && !json_is_empty(link_local)
               ? bh_error_set(error, BH_UNIMPLEMENTED,
                              "IPAMConfig.LinkLocalIPs: link-local addresses are not supported")
               : 0;
}

/* Names that others ask for: at most a label of the DNS each, so that a question can hold them. */
static int check_aliases(const Bulkhead__EndpointRequest *request, struct bh_error *error)
{
    for (size_t i = 0; i < request->n_aliases; i++) {
        const char *alias = request->aliases[i];
        size_t length = strlen(alias);
        bool valid = length > 0 && length <= 253;
        for (size_t c = 0; valid && c < length; c++) {
            valid = isalnum((unsigned char)alias[c]) || strchr("-_.", alias[c]);
        }
        if (!valid) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid network alias: \"%.64s\"", alias);
        }
    }
    return 0;
}

static int check_mac(const char *text, struct bh_error *error)
{
    unsigned parts[6];
    int end = 0;
    return *text == '\0' || (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%n", &parts[0], &parts[1], &parts[2], &parts[3],
                                    &parts[4], &parts[5], &end) == 6 &&
                             text[end] == '\0')
               ? 0
               : bh_error_set(error, BH_INVALID_ARGUMENT, "invalid MAC address: %.64s", text);
}

static int read_fields_of(const json_t *settings, Bulkhead__EndpointRequest *request, struct bh_error *error)
{
    const json_t *aliases = json_object_get(settings, "Aliases"), *links = json_object_get(settings, "Links");
    const json_t *mac = json_object_get(settings, "MacAddress"), *options = json_object_get(settings, "DriverOpts");
    const json_t *priority = json_object_get(settings, "GwPriority");
    int64_t number = 0;
    if (read_ipam(json_object_get(settings, "IPAMConfig"), request, error) < 0 ||
        (aliases && take_strings(aliases, "Aliases", &request->n_aliases, &request->aliases, error) < 0) ||
        (links && take_strings(links, "Links", &request->n_links, &request->links, error) < 0) ||
        (mac && take_string(mac, "MacAddress", &request->mac_address, error) < 0) ||
        (options && take_map(options, "DriverOpts", &request->n_driver_options, &request->driver_options, error) < 0) ||
        (priority && take_int(priority, "GwPriority", INT32_MIN, INT32_MAX, &number, error) < 0) ||
        check_aliases(request, error) < 0 || check_mac(request->mac_address, error) < 0) {
        return -1;
    }
    request->driver_options_set = json_is_object(options);
    request->gateway_priority = (int32_t)number;
    return request->n_driver_options == 0
               ? 0
               : bh_error_set(error, BH_UNIMPLEMENTED, "the endpoint option %.64s is not supported",
                              request->driver_options[0]->key);
}

static void free_request(Bulkhead__EndpointRequest **request)
{
    if (*request) {
        bulkhead__endpoint_request__free_unpacked(*request, NULL);
    }
}

int endpoint_settings_read(const json_t *settings, const char *network, Bulkhead__EndpointRequest **ret_request,
                           struct bh_error *error)
{
    __attribute__((cleanup(free_request))) Bulkhead__EndpointRequest *request = malloc(sizeof(*request));
    if (!request) {
        return out_of_memory(error);
    }
    bulkhead__endpoint_request__init(request);
    if (set_string(&request->network, network, error) < 0) {
        return -1;
    }
    if (settings && !json_is_null(settings)) {
        if (!json_is_object(settings)) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid JSON: EndpointSettings must be an object");
        }
        if (refuse_unknown(settings, error) < 0 || read_fields_of(settings, request, error) < 0) {
            return bh_error_wrap(error, "network %.128s", network);
        }
    }
    *ret_request = bh_steal_pointer(&request);
    return 0;
}
