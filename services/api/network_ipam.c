/* SPDX-License-Identifier: Apache-2.0
 *
 * See network_ipam.h.
 */
#include "network_ipam.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/fields.h"
#include "common/ip.h"
#include "create.h"

#define AUXILIARY_MAX 64

/* Text of a field, "" if it is absent. */
int network_take_text(const json_t *object, const char *field, char **slot, struct bh_error *error)
{
    const json_t *value = json_object_get(object, field);
    return value ? take_string(value, field, slot, error) : 0;
}

int network_refuse_unknown(const json_t *object, const char *const *known, const char *where, struct bh_error *error)
{
    union {
        const json_t *constant;
        json_t *plain;
    } walk = {.constant = object};
    const char *key;
    json_t *item;
    if (json_settle_fields(object, known, error) < 0) {
        return -1;
    }
    json_object_foreach(walk.plain, key, item)
    {
        bool found = json_is_empty(item) || (*where == '\0' && json_is_clients_own(key));
        for (size_t i = 0; known[i] && !found; i++) {
            found = strcmp(known[i], key) == 0;
        }
        if (!found) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "unknown field \"%s%.64s\"", where, key);
        }
    }
    return 0;
}

static int invalid(struct bh_error *error, const char *what, const char *value, const char *why)
{
    return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid network config:\ninvalid %s %.64s: %s", what, value, why);
}

/* ---- one range ----------------------------------------------------------------------------------- */

static int set_ip(ProtobufCBinaryData *slot, const struct ip *ip, struct bh_error *error)
{
    return bytes_set(slot, ip->bytes, ip->n_bytes, error);
}

static const char *family_word(const struct ip *ip)
{
    return ip->n_bytes == 4 ? "IPv4" : "IPv6";
}

static int read_subnet(const char *text, struct ip_subnet *ret_subnet, struct bh_error *error)
{
    char should[IP_SUBNET_TEXT_SIZE], why[IP_SUBNET_TEXT_SIZE + 16];
    if (!ip_parse_subnet(text, ret_subnet)) {
        return invalid(error, "subnet", text, "invalid CIDR block notation");
    }
    if (!ip_subnet_is_whole(ret_subnet)) {
        const struct ip_subnet whole = {.ip = ip_first(ret_subnet), .prefix = ret_subnet->prefix};
        (void)snprintf(why, sizeof(why), "it should be %s", ip_subnet_text(&whole, should));
        return invalid(error, "subnet", text, why);
    }
    return 0;
}

static int check_range(const char *text, const struct ip_subnet *range, const struct ip_subnet *subnet,
                       struct bh_error *error)
{
    char of[IP_SUBNET_TEXT_SIZE], why[IP_SUBNET_TEXT_SIZE + 64];
    if (range->ip.n_bytes != subnet->ip.n_bytes) {
        (void)snprintf(why, sizeof(why), "parent subnet is an %s block", family_word(&subnet->ip));
    } else if (range->prefix < subnet->prefix) {
        (void)snprintf(why, sizeof(why), "CIDR block is bigger than its parent subnet %s", ip_subnet_text(subnet, of));
    } else if (!ip_subnet_is_whole(range)) {
        const struct ip_subnet whole = {.ip = ip_first(range), .prefix = range->prefix};
        (void)snprintf(why, sizeof(why), "it should be %s", ip_subnet_text(&whole, of));
    } else if (!ip_subnets_overlap(range, subnet)) {
        (void)snprintf(why, sizeof(why), "parent subnet %s doesn't contain ip-range", ip_subnet_text(subnet, of));
    } else {
        return 0;
    }
    return invalid(error, "ip-range", text, why);
}

/* Why an address is none of the subnet's; NULL if it is. */
static const char *why_outside(const char *text, const struct ip_subnet *subnet, struct ip *ret_ip, char *buffer,
                               size_t buffer_bytes)
{
    char of[IP_SUBNET_TEXT_SIZE];
    if (!ip_parse(text, ret_ip)) {
        return "invalid address";
    }
    if (ret_ip->n_bytes != subnet->ip.n_bytes) {
        (void)snprintf(buffer, buffer_bytes, "parent subnet is an %s block", family_word(&subnet->ip));
        return buffer;
    }
    if (!ip_subnet_contains(subnet, ret_ip)) {
        (void)snprintf(buffer, buffer_bytes, "parent subnet %s doesn't contain this address",
                       ip_subnet_text(subnet, of));
        return buffer;
    }
    return NULL;
}

static int read_auxiliary(const json_t *addresses, const struct ip_subnet *subnet, Bulkhead__AddressRange *range,
                          struct bh_error *error)
{
    union {
        const json_t *constant;
        json_t *plain;
    } walk = {.constant = addresses};
    const char *name, *why;
    char buffer[96];
    json_t *value;
    if (!addresses || json_is_null(addresses)) {
        return 0;
    }
    if (!json_is_object(addresses) || json_object_size(addresses) > AUXILIARY_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "invalid JSON: AuxiliaryAddresses must be an object of at most %d addresses",
                            AUXILIARY_MAX);
    }
    range->auxiliary = calloc(json_object_size(addresses) + 1, sizeof(*range->auxiliary));
    if (!range->auxiliary) {
        return out_of_memory(error);
    }
    json_object_foreach(walk.plain, name, value)
    {
        struct ip ip;
        if (!json_is_string(value)) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid JSON: AuxiliaryAddresses must hold strings");
        }
        why = why_outside(json_string_value(value), subnet, &ip, buffer, sizeof(buffer));
        if (why) {
            return invalid(error, "auxiliary address", name, why);
        }
        Bulkhead__AuxiliaryAddress *made = malloc(sizeof(*made));
        if (!made) {
            return out_of_memory(error);
        }
        bulkhead__auxiliary_address__init(made);
        range->auxiliary[range->n_auxiliary++] = made;
        if (set_string(&made->name, name, error) < 0 || set_ip(&made->address, &ip, error) < 0) {
            return -1;
        }
    }
    return 0;
}

struct range_words {
    char *subnet, *range, *gateway;
};

static void range_words_free(struct range_words *words)
{
    char *const all[] = {words->subnet, words->range, words->gateway};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        if (all[i] != protobuf_c_empty_string) {
            free(all[i]);
        }
    }
}

static int fill_range(const json_t *config, const struct range_words *words, const struct ip_subnet *subnet,
                      Bulkhead__AddressRange *range, struct bh_error *error)
{
    struct ip_subnet part;
    struct ip gateway;
    char buffer[96];
    range->prefix = subnet->prefix;
    if (set_ip(&range->subnet, &subnet->ip, error) < 0) {
        return -1;
    }
    if (*words->range) {
        if (!ip_parse_subnet(words->range, &part)) {
            return invalid(error, "ip-range", words->range, "invalid CIDR block notation");
        }
        range->range_prefix = part.prefix;
        if (check_range(words->range, &part, subnet, error) < 0 || set_ip(&range->range, &part.ip, error) < 0) {
            return -1;
        }
    }
    if (*words->gateway) {
        const char *why = why_outside(words->gateway, subnet, &gateway, buffer, sizeof(buffer));
        if (why) {
            return invalid(error, "gateway", words->gateway, why);
        }
        if (set_ip(&range->gateway, &gateway, error) < 0) {
            return -1;
        }
    }
    const json_t *auxiliary = json_object_get(config, "AuxiliaryAddresses");
    return read_auxiliary(auxiliary ? auxiliary : json_object_get(config, "AuxAddress"), subnet, range, error);
}

static Bulkhead__AddressRange *add_range(Bulkhead__NetworkRequest *request)
{
    Bulkhead__AddressRange **larger = reallocarray(request->ranges, request->n_ranges + 1, sizeof(*larger));
    Bulkhead__AddressRange *range = larger ? malloc(sizeof(*range)) : NULL;
    request->ranges = larger ? larger : request->ranges;
    if (range) {
        bulkhead__address_range__init(range);
        request->ranges[request->n_ranges++] = range;
    }
    return range;
}

static bool has_family(const Bulkhead__NetworkRequest *request, size_t n_bytes)
{
    for (size_t i = 0; i < request->n_ranges; i++) {
        if (request->ranges[i]->subnet.len == n_bytes) {
            return true;
        }
    }
    return false;
}

static int read_config(const json_t *config, struct network_wish *wish, struct bh_error *error)
{
    static const char *const known[] = {"Subnet", "IPRange", "Gateway", "AuxiliaryAddresses", "AuxAddress", NULL};
    Bulkhead__NetworkRequest *request = wish->request;
    char *empty = (char *)(uintptr_t)protobuf_c_empty_string;
    __attribute__((cleanup(range_words_free))) struct range_words words = {empty, empty, empty};
    struct ip_subnet subnet;
    if (!json_is_object(config)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid JSON: IPAM.Config must be an array of objects");
    }
    if (network_refuse_unknown(config, known, "IPAM.Config.", error) < 0 ||
        network_take_text(config, "Subnet", &words.subnet, error) < 0 ||
        network_take_text(config, "IPRange", &words.range, error) < 0 ||
        network_take_text(config, "Gateway", &words.gateway, error) < 0 ||
        read_subnet(words.subnet, &subnet, error) < 0) {
        return -1;
    }
    if (has_family(request, subnet.ip.n_bytes)) {
        return bh_error_set(error, BH_PERMISSION_DENIED, "%s driver doesn't support multiple subnets", request->driver);
    }
    if (!(subnet.ip.n_bytes == 4 ? request->ipv4 : request->ipv6)) {
        (void)snprintf(wish->warning, sizeof(wish->warning), "%s subnet %s is not used: the network has no %s",
                       family_word(&subnet.ip), words.subnet, family_word(&subnet.ip));
        return 0;
    }
    Bulkhead__AddressRange *range = add_range(request);
    return range ? fill_range(config, &words, &subnet, range, error) : out_of_memory(error);
}

/* ---- all of it ----------------------------------------------------------------------------------- */

static int read_ipam(const json_t *ipam, struct network_wish *wish, struct bh_error *error)
{
    static const char *const known[] = {"Driver", "Config", "Options", NULL};
    Bulkhead__NetworkRequest *request = wish->request;
    if (!ipam || json_is_null(ipam)) {
        return 0;
    }
    if (!json_is_object(ipam)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid JSON: IPAM must be an object");
    }
    const char *driver = json_string_value(json_object_get(ipam, "Driver"));
    const json_t *options = json_object_get(ipam, "Options"), *configs = json_object_get(ipam, "Config");
    if (driver && *driver && strcmp(driver, "default") != 0) {
        return bh_error_set(error, BH_NOT_FOUND,
                            "error looking up ipam plugin %.64s: plugin \"%.64s\" not found: there is \"default\"",
                            driver, driver);
    }
    if (network_refuse_unknown(ipam, known, "IPAM.", error) < 0 ||
        (options && take_map(options, "IPAM.Options", &request->n_ipam_options, &request->ipam_options, error) < 0)) {
        return -1;
    }
    request->ipam_options_set = json_is_object(options);
    if (configs && !json_is_array(configs) && !json_is_null(configs)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid JSON: IPAM.Config must be an array");
    }
    for (size_t i = 0; i < json_array_size(configs); i++) {
        if (read_config(json_array_get(configs, i), wish, error) < 0) {
            return -1;
        }
    }
    return 0;
}

/* A family that the network has and no subnet was given for gets one from the engine: IPv4 first. */
static int complete_ranges(Bulkhead__NetworkRequest *request, struct bh_error *error)
{
    const bool wanted[] = {request->ipv4 && !has_family(request, 4), request->ipv6 && !has_family(request, 16)};
    for (size_t i = 0; i < 2; i++) {
        if (wanted[i] && !add_range(request)) {
            return out_of_memory(error);
        }
    }
    return 0;
}

int network_ipam_read(const json_t *ipam, struct network_wish *wish, struct bh_error *error)
{
    return read_ipam(ipam, wish, error) < 0 ? -1 : complete_ranges(wish->request, error);
}
