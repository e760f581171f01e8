/* SPDX-License-Identifier: Apache-2.0
 *
 * Options of networks: what is read, and what is refused instead of ignored.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "services/engine/network_options.h"

#define TEXT(text) ((char *)(uintptr_t)(text))

static int read_one(const char *driver, const char *key, const char *value, struct network_options *options,
                    struct bh_error *error)
{
    Bulkhead__KeyValue pair = BULKHEAD__KEY_VALUE__INIT, parent = BULKHEAD__KEY_VALUE__INIT,
                       *pairs[] = {&pair, &parent};
    Bulkhead__NetworkRequest request = BULKHEAD__NETWORK_REQUEST__INIT;
    pair.key = TEXT(key);
    pair.value = TEXT(value);
    parent.key = TEXT("parent");
    parent.value = TEXT("eth0");
    request.driver = TEXT(driver);
    request.options = pairs;
    request.n_options = 2;
    return network_options_read(&request, options, error);
}

Test(network_options, of_bridges)
{
    struct bh_error error = {0};
    struct network_options options;
    cr_assert_eq(read_one("bridge", "color", "red", &options, &error), 0);
    cr_assert(options.masquerade);
    cr_assert_not(options.isolated);
    cr_assert_str_eq(options.interface_prefix, "eth");
    cr_assert_str_eq(options.parent, "", "a bridge has none");
    cr_assert_eq(read_one("bridge", "com.docker.network.bridge.enable_icc", "false", &options, &error), 0);
    cr_assert(options.isolated);
    cr_assert_eq(read_one("bridge", "com.docker.network.bridge.enable_ip_masquerade", "0", &options, &error), 0);
    cr_assert_not(options.masquerade);
    cr_assert_eq(read_one("bridge", "com.docker.network.driver.mtu", "1400", &options, &error), 0);
    cr_assert_eq(options.mtu, 1400);
    cr_assert_eq(read_one("bridge", "com.docker.network.bridge.name", "br-web", &options, &error), 0);
    cr_assert_str_eq(options.bridge_name, "br-web");
    cr_assert_eq(read_one("bridge", "com.docker.network.bridge.gateway_mode_ipv4", "nat", &options, &error), 0);
}

Test(network_options, of_macvlans)
{
    struct bh_error error = {0};
    struct network_options options;
    cr_assert_eq(read_one("macvlan", "macvlan_mode", "private", &options, &error), 0, "%s", error.message);
    cr_assert_eq(options.macvlan_mode, BULKHEAD__MACVLAN_MODE__MACVLAN_MODE_PRIVATE);
    cr_assert_str_eq(options.parent, "eth0");
    cr_assert_eq(read_one("macvlan", "x", "y", &options, &error), 0);
    cr_assert_eq(options.macvlan_mode, BULKHEAD__MACVLAN_MODE__MACVLAN_MODE_BRIDGE);
    Bulkhead__NetworkRequest request = BULKHEAD__NETWORK_REQUEST__INIT;
    request.driver = TEXT("macvlan");
    cr_assert_eq(network_options_read(&request, &options, &error), -1);
    cr_assert(strstr(error.message, "-o parent="), "%s", error.message);
}

Test(network_options, that_are_refused)
{
    static const struct {
        const char *driver, *key, *value;
        enum bh_code code;
    } rows[] = {
        {"bridge", "com.docker.network.driver.mtu", "67", BH_INVALID_ARGUMENT},
        {"bridge", "com.docker.network.driver.mtu", "9x", BH_INVALID_ARGUMENT},
        {"bridge", "com.docker.network.driver.mtu", "-1", BH_INVALID_ARGUMENT},
        {"bridge", "com.docker.network.bridge.name", "a/b", BH_INVALID_ARGUMENT},
        {"bridge", "com.docker.network.bridge.name", "sixteencharacter", BH_INVALID_ARGUMENT},
        {"bridge", "com.docker.network.bridge.name", "..", BH_INVALID_ARGUMENT},
        {"bridge", "com.docker.network.bridge.enable_icc", "maybe", BH_INVALID_ARGUMENT},
        {"bridge", "com.docker.network.bridge.host_binding_ipv4", "::1", BH_INVALID_ARGUMENT},
        {"bridge", "com.docker.network.bridge.default_bridge", "true", BH_PERMISSION_DENIED},
        {"bridge", "com.docker.network.bridge.gateway_mode_ipv6", "routed", BH_UNIMPLEMENTED},
        {"bridge", "com.docker.network.bridge.inhibit_ipv4", "true", BH_UNIMPLEMENTED},
        {"bridge", "com.docker.network.frobnicate", "1", BH_UNIMPLEMENTED},
        {"macvlan", "macvlan_mode", "foo", BH_INVALID_ARGUMENT},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bh_error error = {0};
        struct network_options options;
        cr_assert_eq(read_one(rows[i].driver, rows[i].key, rows[i].value, &options, &error), -1, "%s=%s", rows[i].key,
                     rows[i].value);
        cr_assert_eq(error.code, rows[i].code, "%s=%s: %s", rows[i].key, rows[i].value, error.message);
    }
}
