/* SPDX-License-Identifier: Apache-2.0
 *
 * See network_options.h.
 */
#include "services/engine/network_options.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DOCKERS    "com.docker.network."
#define MTU_MIN    68U /* RFC 791 */
#define MTU_MAX    65535U
#define IPV6_MTU   1280U
#define PREFIX_MAX (INTERFACE_NAME_SIZE - 5) /* room for a number behind it */

/* Go's strconv.ParseBool. */
static int read_boolean(const char *key, const char *value, bool *ret_value, struct bh_error *error)
{
    static const char *const truths[] = {"1", "t", "T", "TRUE", "true", "True"};
    static const char *const lies[] = {"0", "f", "F", "FALSE", "false", "False"};
    for (size_t i = 0; i < sizeof truths / sizeof truths[0]; i++) {
        if (strcmp(value, truths[i]) == 0 || strcmp(value, lies[i]) == 0) {
            *ret_value = strcmp(value, truths[i]) == 0;
            return 0;
        }
    }
    return bh_error_set(error, BH_INVALID_ARGUMENT,
                        "failed to parse %s value: %.64s (strconv.ParseBool: parsing \"%.64s\": invalid syntax)", key,
                        value, value);
}

static int read_mtu(const char *key, const char *value, uint32_t *ret_mtu, struct bh_error *error)
{
    char *end;
    unsigned long mtu = strtoul(value, &end, 10);
    if (!isdigit((unsigned char)value[0]) || *end) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "failed to parse %s value: %.64s (strconv.Atoi: parsing \"%.64s\": invalid syntax)", key,
                            value, value);
    }
    if (mtu != 0 && (mtu < MTU_MIN || mtu > MTU_MAX)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid MTU number: %.16s: it is %u to %u, or 0", value,
                            MTU_MIN, MTU_MAX);
    }
    *ret_mtu = (uint32_t)mtu;
    return 0;
}

/* What the kernel accepts as the name of a link, and nothing that would look like something else in a message. */
static int read_link_name(const char *key, const char *value, char *buffer, size_t max, struct bh_error *error)
{
    size_t length = strlen(value);
    bool valid = length > 0 && length <= max && strcmp(value, ".") != 0 && strcmp(value, "..") != 0;
    for (size_t i = 0; valid && i < length; i++) {
        valid = isalnum((unsigned char)value[i]) || strchr("-_.", value[i]);
    }
    if (!valid) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "%s \"%.64s\" is no name of a link: at most %zu letters, digits, '-', '_', '.'", key, value,
                            max);
    }
    (void)snprintf(buffer, max + 1, "%s", value);
    return 0;
}

static int read_host_binding(const char *key, const char *value, struct ip *ret_ip, struct bh_error *error)
{
    return ip_parse(value, ret_ip) && ret_ip->n_bytes == 4
               ? 0
               : bh_error_set(error, BH_INVALID_ARGUMENT, "failed to parse %s value: %.64s (nil ip)", key, value);
}

static int read_gateway_mode(const char *key, const char *value, struct bh_error *error)
{
    return strcmp(value, "nat") == 0
               ? 0
               : bh_error_set(error, BH_UNIMPLEMENTED, "%s \"%.64s\" is not supported: only nat is", key, value);
}

static int read_bridge_option(const char *key, const char *value, struct network_options *options,
                              struct bh_error *error)
{
    bool flag = false;
    const char *name = key + sizeof DOCKERS - 1;
    if (strcmp(name, "bridge.name") == 0) {
        return read_link_name(key, value, options->bridge_name, INTERFACE_NAME_SIZE - 1, error);
    }
    if (strcmp(name, "bridge.enable_icc") == 0) {
        int result = read_boolean(key, value, &flag, error);
        options->isolated = !flag;
        return result;
    }
    if (strcmp(name, "bridge.enable_ip_masquerade") == 0) {
        return read_boolean(key, value, &options->masquerade, error);
    }
    if (strcmp(name, "bridge.host_binding_ipv4") == 0) {
        return read_host_binding(key, value, &options->host_binding, error);
    }
    if (strcmp(name, "bridge.default_bridge") == 0) {
        if (read_boolean(key, value, &flag, error) < 0) {
            return -1;
        }
        return flag ? bh_error_set(error, BH_PERMISSION_DENIED, "%s: there is one default network already", key) : 0;
    }
    if (strcmp(name, "bridge.gateway_mode_ipv4") == 0 || strcmp(name, "bridge.gateway_mode_ipv6") == 0) {
        return read_gateway_mode(key, value, error);
    }
    return bh_error_set(error, BH_UNIMPLEMENTED, "the network option %.128s is not supported", key);
}

static int read_option(const char *key, const char *value, bool macvlan, struct network_options *options,
                       struct bh_error *error)
{
    if (strcmp(key, DOCKERS "driver.mtu") == 0) {
        return read_mtu(key, value, &options->mtu, error);
    }
    if (strcmp(key, DOCKERS "container_iface_prefix") == 0) {
        return read_link_name(key, value, options->interface_prefix, PREFIX_MAX, error);
    }
    if (strcmp(key, DOCKERS "enable_ipv4") == 0 || strcmp(key, DOCKERS "enable_ipv6") == 0) {
        return 0; /* api has read them */
    }
    if (strncmp(key, DOCKERS, sizeof DOCKERS - 1) == 0) {
        return read_bridge_option(key, value, options, error);
    }
    return macvlan && strcmp(key, "parent") == 0
               ? read_link_name("parent", value, options->parent, INTERFACE_NAME_SIZE - 1, error)
               : 0; /* Docker's drivers look at their own only */
}

static int read_macvlan_mode(const char *value, Bulkhead__MacvlanMode *ret_mode, struct bh_error *error)
{
    static const char *const words[] = {"", "bridge", "vepa", "passthru", "private"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(value, words[i]) == 0) {
            *ret_mode = i == 0 ? BULKHEAD__MACVLAN_MODE__MACVLAN_MODE_BRIDGE : (Bulkhead__MacvlanMode)i;
            return 0;
        }
    }
    return bh_error_set(error, BH_INVALID_ARGUMENT,
                        "requested macvlan mode '%.64s' is not valid, 'bridge' mode is the macvlan driver default",
                        value);
}

static const char *option_of(const Bulkhead__NetworkRequest *request, const char *key)
{
    for (size_t i = 0; i < request->n_options; i++) {
        if (strcmp(request->options[i]->key, key) == 0) {
            return request->options[i]->value;
        }
    }
    return "";
}

int network_options_read(const Bulkhead__NetworkRequest *request, struct network_options *ret_options,
                         struct bh_error *error)
{
    const bool macvlan = strcmp(request->driver, "macvlan") == 0;
    struct network_options options = {.masquerade = !macvlan, .interface_prefix = "eth"};
    for (size_t i = 0; i < request->n_options; i++) {
        if (read_option(request->options[i]->key, request->options[i]->value, macvlan, &options, error) < 0) {
            return -1;
        }
    }
    if (macvlan && read_macvlan_mode(option_of(request, "macvlan_mode"), &options.macvlan_mode, error) < 0) {
        return -1;
    }
    if (macvlan && !options.parent[0]) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "a macvlan network needs the link that it goes out by: -o parent=eth0");
    }
    if (options.mtu > 0 && options.mtu < IPV6_MTU && request->ipv6) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid MTU number: %u: IPv6 needs at least %u", options.mtu,
                            IPV6_MTU);
    }
    *ret_options = options;
    return 0;
}
