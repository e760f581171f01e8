/* SPDX-License-Identifier: Apache-2.0
 *
 * Egress rules: which addresses are special, what configuration opens, and that a registry cannot lead us elsewhere.
 */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <string.h>

#include "services/dialer/egress.h"

static struct egress_address address(const char *text)
{
    struct egress_address result;
    struct sockaddr_in ipv4 = {.sin_family = AF_INET};
    struct sockaddr_in6 ipv6 = {.sin6_family = AF_INET6};
    if (inet_pton(AF_INET, text, &ipv4.sin_addr) == 1) {
        cr_assert_eq(egress_address((struct sockaddr *)&ipv4, &result, NULL), 0);
    } else {
        cr_assert_eq(inet_pton(AF_INET6, text, &ipv6.sin6_addr), 1, "%s", text);
        cr_assert_eq(egress_address((struct sockaddr *)&ipv6, &result, NULL), 0);
    }
    return result;
}

Test(egress, classes)
{
    static const struct {
        const char *address;
        enum egress_class class;
    } cases[] = {
        {"8.8.8.8", EGRESS_PUBLIC},
        {"1.1.1.1", EGRESS_PUBLIC},
        {"126.255.255.255", EGRESS_PUBLIC},
        {"128.0.0.0", EGRESS_PUBLIC},
        {"172.15.255.255", EGRESS_PUBLIC},
        {"172.32.0.0", EGRESS_PUBLIC},
        {"100.63.255.255", EGRESS_PUBLIC},
        {"100.128.0.0", EGRESS_PUBLIC},
        {"2606:4700::1111", EGRESS_PUBLIC},
        {"127.0.0.1", EGRESS_LOOPBACK},
        {"127.255.255.255", EGRESS_LOOPBACK},
        {"::1", EGRESS_LOOPBACK},
        {"10.0.0.1", EGRESS_PRIVATE},
        {"172.16.0.1", EGRESS_PRIVATE},
        {"172.31.255.255", EGRESS_PRIVATE},
        {"192.168.1.1", EGRESS_PRIVATE},
        {"100.64.0.1", EGRESS_PRIVATE},
        {"198.18.0.1", EGRESS_PRIVATE},
        {"fc00::1", EGRESS_PRIVATE},
        {"fdff::1", EGRESS_PRIVATE},
        {"2001:db8::1", EGRESS_PRIVATE},
        {"169.254.1.1", EGRESS_LINK_LOCAL},
        {"fe80::1", EGRESS_LINK_LOCAL},
        {"febf::1", EGRESS_LINK_LOCAL},
        {"169.254.169.254", EGRESS_METADATA},
        {"100.100.100.200", EGRESS_METADATA},
        {"168.63.129.16", EGRESS_METADATA},
        {"fd00:ec2::254", EGRESS_METADATA},
        {"0.0.0.0", EGRESS_UNUSABLE},
        {"0.1.2.3", EGRESS_UNUSABLE},
        {"::", EGRESS_UNUSABLE},
        {"224.0.0.1", EGRESS_UNUSABLE},
        {"240.0.0.1", EGRESS_UNUSABLE},
        {"255.255.255.255", EGRESS_UNUSABLE},
        {"ff02::1", EGRESS_UNUSABLE},
        /* IPv4 in IPv6's clothes */
        {"::ffff:127.0.0.1", EGRESS_LOOPBACK},
        {"::ffff:169.254.169.254", EGRESS_METADATA},
        {"::ffff:8.8.8.8", EGRESS_PUBLIC},
        {"::ffff:0:10.0.0.1", EGRESS_PRIVATE},
        {"::127.0.0.1", EGRESS_LOOPBACK},
        {"64:ff9b::a9fe:a9fe", EGRESS_METADATA},
        {"64:ff9b::7f00:1", EGRESS_LOOPBACK},
        {"64:ff9b::808:808", EGRESS_PUBLIC},
        {"64:ff9b:1::1", EGRESS_PRIVATE},
        {"2002:7f00:1::", EGRESS_LOOPBACK},
        {"2002:a00:1::1", EGRESS_PRIVATE},
        {"2002:808:808::1", EGRESS_PUBLIC},
        {"2001:0:4136:e378:8000:63bf:3fff:fdd2", EGRESS_PRIVATE},
        {"2a00:1450::5efe:c0a8:1", EGRESS_PRIVATE},
        {"2a00:1450::200:5efe:7f00:1", EGRESS_LOOPBACK},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct egress_address parsed = address(cases[i].address);
        cr_expect_eq(egress_classify(&parsed), cases[i].class, "%s is %s and not %s", cases[i].address,
                     egress_class_name(egress_classify(&parsed)), egress_class_name(cases[i].class));
    }
}

Test(egress, hosts)
{
    static const char *const good[] = {"a", "registry-1.docker.io", "127.0.0.1", "2130706433", "::1", "fe80::1"};
    static const char *const bad[] = {"",    "-a",  ".a", "a..b",    "a b",      "a/b", "a%eth0", "fe80::1%eth0",
                                      "a@b", "a\n", ":",  "1::2::3", "\xc3\xa9", "a_b", "[::1]"};
    char host[EGRESS_HOST_BYTES_MAX + 1];
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        cr_expect_eq(egress_host(good[i], host, NULL), 0, "%s", good[i]);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        cr_expect_eq(egress_host(bad[i], host, NULL), -1, "%s", bad[i]);
    }
    char endless[300];
    memset(endless, 'a', sizeof(endless));
    endless[EGRESS_HOST_BYTES_MAX] = '\0';
    cr_expect_eq(egress_host(endless, host, NULL), 0);
    endless[EGRESS_HOST_BYTES_MAX] = 'a';
    endless[EGRESS_HOST_BYTES_MAX + 1] = '\0';
    cr_expect_eq(egress_host(endless, host, NULL), -1);
}

Test(egress, hosts_and_ports)
{
    char host[EGRESS_HOST_BYTES_MAX + 1];
    uint16_t port;
    cr_assert_eq(egress_split("Registry.Example.com:5000", host, &port, NULL), 0);
    cr_expect_str_eq(host, "registry.example.com");
    cr_expect_eq(port, 5000);
    cr_assert_eq(egress_split("[::1]:443", host, &port, NULL), 0);
    cr_expect_str_eq(host, "::1");
    cr_expect_eq(port, 443);
    cr_assert_eq(egress_split("host", host, &port, NULL), 0);
    cr_expect_eq(port, 0);
    static const char *const bad[] = {"",     ":80",     "a:",     "a:0", "a:65536", "a:-1",  "a:+1",
                                      "a:1x", "[::1",    "[::1]x", "[a]", "::1",     "a:1:2", "a:999999",
                                      "[]",   "[::1]:0", "a:80/x", " a",  "a: 80"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        cr_expect_eq(egress_split(bad[i], host, &port, NULL), -1, "%s", bad[i]);
    }
}

Test(egress, rules_are_read_strictly)
{
    static struct egress_rules rules;
    static const char *const bad[] = {"",    "10.0.0.0/33", "10.0.0/8",   "::/129",  "a/8",
                                      "a:b", "10.0.0.0/",   "10.0.0.0/x", "http://a"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        cr_expect_eq(egress_rules_add(&rules, bad[i], true, NULL), -1, "%s", bad[i]);
    }
    cr_expect_eq(rules.n_rules, 0);
    for (size_t i = 0; i < EGRESS_RULES_MAX; i++) {
        cr_assert_eq(egress_rules_add(&rules, "a:1", true, NULL), 0);
    }
    cr_expect_eq(egress_rules_add(&rules, "a:1", true, NULL), -1);
}

struct verdict {
    bool allowed, insecure;
};

/* `rule` is insecure unless it begins with '='. */
static struct verdict judge(const char *rule, const char *host, uint16_t port, const char *registry, const char *ip)
{
    static struct egress_rules rules;
    rules.n_rules = 0;
    bool insecure = rule && rule[0] != '=';
    cr_assert(!rule || egress_rules_add(&rules, insecure ? rule : rule + 1, insecure, NULL) == 0, "%s", rule);
    char registry_host[EGRESS_HOST_BYTES_MAX + 1];
    struct egress_question question = {.host = host, .port = port, .address = address(ip)};
    cr_assert_eq(egress_split(registry, registry_host, &question.registry_port, NULL), 0);
    question.registry_host = registry_host;
    struct bh_error error;
    struct verdict verdict = {0};
    verdict.allowed = egress_judge(&rules, &question, &verdict.insecure, &error) == 0;
    cr_expect(verdict.allowed || error.code == BH_PERMISSION_DENIED);
    return verdict;
}

Test(egress, public_addresses_are_free_and_secure)
{
    struct verdict verdict = judge(NULL, "cdn.example.com", 443, "registry.example.com", "8.8.8.8");
    cr_expect(verdict.allowed && !verdict.insecure);
    verdict = judge("registry.example.com", "registry.example.com", 80, "registry.example.com", "8.8.8.8");
    cr_expect(verdict.allowed && verdict.insecure);
    verdict = judge("=registry.example.com", "registry.example.com", 443, "registry.example.com", "8.8.8.8");
    cr_expect(verdict.allowed && !verdict.insecure, "private is not insecure");
}

Test(egress, special_addresses_need_a_rule)
{
    cr_expect_not(judge(NULL, "r.example.com", 443, "r.example.com", "10.0.0.1").allowed);
    cr_expect(judge("=r.example.com", "r.example.com", 443, "r.example.com", "10.0.0.1").allowed);
    cr_expect(judge("=r.example.com:5000", "r.example.com", 5000, "r.example.com:5000", "10.0.0.1").allowed);
    cr_expect_not(judge("=r.example.com:5000", "r.example.com", 5001, "r.example.com:5001", "10.0.0.1").allowed);
    cr_expect(judge("=10.0.0.0/8", "r.example.com", 443, "r.example.com", "10.0.0.1").allowed);
    cr_expect_not(judge("=10.0.0.0/8", "r.example.com", 443, "r.example.com", "11.0.0.1").insecure);
    cr_expect_not(judge("=other.example.com", "r.example.com", 443, "r.example.com", "10.0.0.1").allowed);
    cr_expect(judge("::1", "localhost", 5000, "localhost:5000", "::1").insecure);
}

Test(egress, the_default_rule_opens_loopback_registries_only)
{
    struct verdict verdict = judge("127.0.0.0/8", "127.0.0.1", 5000, "127.0.0.1:5000", "127.0.0.1");
    cr_expect(verdict.allowed && verdict.insecure);
    cr_expect(judge("127.0.0.0/8", "localhost", 5000, "localhost:5000", "127.0.0.1").allowed);
    cr_expect(judge("127.0.0.0/8", "127.0.0.1", 443, "127.0.0.1", "127.0.0.1").allowed);
    /* a redirect of a public registry, of another loopback registry, a name that points home */
    cr_expect_not(judge("127.0.0.0/8", "127.0.0.1", 5000, "registry.example.com", "127.0.0.1").allowed);
    cr_expect_not(judge("127.0.0.0/8", "127.0.0.1", 5001, "127.0.0.1:5000", "127.0.0.1").allowed);
    cr_expect_not(judge("127.0.0.0/8", "localhost", 5000, "127.0.0.1:5000", "127.0.0.1").allowed);
    cr_expect_not(judge("127.0.0.0/8", "cdn.example.com", 443, "registry.example.com", "::1").allowed);
    cr_expect_not(judge("127.0.0.0/8", "127.0.0.1", 8080, "127.0.0.1", "127.0.0.1").allowed);
}

Test(egress, an_exact_name_opens_a_redirects_target)
{
    cr_expect(judge("=blobs.internal:443", "blobs.internal", 443, "registry.example.com", "10.0.0.1").allowed);
    cr_expect_not(judge("=blobs.internal", "blobs.internal", 443, "registry.example.com", "10.0.0.1").allowed,
                  "a name alone opens only a registry of that name");
    cr_expect_not(judge("=10.0.0.0/8", "blobs.internal", 443, "registry.example.com", "10.0.0.1").allowed);
}

Test(egress, metadata_and_unusable_addresses_stay_closed)
{
    cr_expect_not(judge("169.254.169.254:80", "169.254.169.254", 80, "169.254.169.254:80", "169.254.169.254").allowed);
    cr_expect_not(judge("0.0.0.0/0", "a", 80, "a:80", "169.254.169.254").allowed);
    cr_expect_not(judge("0.0.0.0/0", "a", 80, "a:80", "0.0.0.0").allowed);
    cr_expect_not(judge("a:80", "a", 80, "a:80", "64:ff9b::a9fe:a9fe").allowed);
}
