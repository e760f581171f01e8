/* SPDX-License-Identifier: Apache-2.0
 *
 * From the command line of run and create to the API's request: every option arrives in the field that Docker's client
 * puts it into, and what is wrong is refused by its name.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "container_options.h"
#include "container_request.h"
#include "fields.h"

static json_t *request;
static struct bh_error error;
static char *compact;

static void forget(void)
{
    json_decref(request);
    free(compact);
    request = NULL;
    compact = NULL;
}

TestSuite(request, .fini = forget);

/* Parses a command line without its image, and builds the request. */
static int build(const char *const *words)
{
    struct container_options options = {0};
    struct container_attachment attachment = {0};
    strings_auto struct strings arguments = {0};
    const char *argv[32];
    int argc = 0;
    bool help = false;
    forget();
    error = (struct bh_error){0};
    while (words[argc]) {
        argv[argc] = words[argc];
        argc++;
    }
    argv[argc++] = "busybox";
    argv[argc++] = "true";
    int result =
        options_parse(container_options_table, &options, true, argc, (char *const *)argv, &arguments, &help, &error);
    if (result == 0) {
        result = container_attachment_of(&options, &attachment, &error);
    }
    if (result == 0) {
        result = container_request_build(&options, &attachment, &arguments, &request, &error);
    }
    options_free(container_options_table, &options);
    return result;
}
#define BUILD(...) build((const char *const[]){__VA_ARGS__, NULL})

/* The field as compact JSON; "" if it is not there. */
static const char *at(const char *path)
{
    const json_t *value = field_at(request, path);
    free(compact);
    compact = value ? json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY) : strdup("");
    return compact;
}

#define HOST(field) "HostConfig." field
#define WORDS(...)                                                                                                     \
    {                                                                                                                  \
        __VA_ARGS__                                                                                                    \
    }

/* Options, the field that they are about, and what it must be. */
static const struct {
    const char *words[20]; /* ends with NULL */
    const char *field, *wanted;
} rows[] = {
    {WORDS("--name", "x"), "Image", "\"busybox\""},
    {WORDS("--name", "x"), "Cmd", "[\"true\"]"},
    {WORDS("-h", "ship"), "Hostname", "\"ship\""},
    {WORDS("--domainname", "d.e"), "Domainname", "\"d.e\""},
    {WORDS("-u", "a:b"), "User", "\"a:b\""},
    {WORDS("-w", "/w"), "WorkingDir", "\"/w\""},
    {WORDS("--entrypoint", ""), "Entrypoint", "[\"\"]"},
    {WORDS("-e", "A=1", "-e", "B="), "Env", "[\"A=1\",\"B=\"]"},
    {WORDS("-l", "a=b=c", "-l", "d"), "Labels", "{\"a\":\"b=c\",\"d\":\"\"}"},
    {WORDS("-t"), "Tty", "true"},
    {WORDS("-i"), "StdinOnce", "true"},
    {WORDS("--stop-signal", "INT"), "StopSignal", "\"INT\""},
    {WORDS("--stop-timeout", "5"), "StopTimeout", "5"},
    {WORDS("--annotation", "a=b"), HOST("Annotations"), "{\"a\":\"b\"}"},
    {WORDS("--add-host", "a:1.2.3.4", "--add-host", "b=[::1]"), HOST("ExtraHosts"), "[\"a:1.2.3.4\",\"b:::1\"]"},
    {WORDS("--blkio-weight", "100"), HOST("BlkioWeight"), "100"},
    {WORDS("--blkio-weight-device", "/dev/a:500"), HOST("BlkioWeightDevice"), "[{\"Path\":\"/dev/a\",\"Weight\":500}]"},
    {WORDS("--cap-add", "A", "--cap-drop", "ALL"), HOST("CapDrop"), "[\"ALL\"]"},
    {WORDS("--cap-add", "A"), HOST("CapAdd"), "[\"A\"]"},
    {WORDS("--cgroup-parent", "/x"), HOST("CgroupParent"), "\"/x\""},
    {WORDS("--cgroupns", "host"), HOST("CgroupnsMode"), "\"host\""},
    {WORDS("--cpu-period", "1"), HOST("CpuPeriod"), "1"},
    {WORDS("--cpu-quota", "2"), HOST("CpuQuota"), "2"},
    {WORDS("--cpu-rt-period", "3"), HOST("CpuRealtimePeriod"), "3"},
    {WORDS("--cpu-rt-runtime", "4"), HOST("CpuRealtimeRuntime"), "4"},
    {WORDS("-c", "5"), HOST("CpuShares"), "5"},
    {WORDS("--cpus", "1.5"), HOST("NanoCpus"), "1500000000"},
    {WORDS("--cpuset-cpus", "0-1"), HOST("CpusetCpus"), "\"0-1\""},
    {WORDS("--cpuset-mems", "0"), HOST("CpusetMems"), "\"0\""},
    {WORDS("--device", "/dev/a"), HOST("Devices"),
     "[{\"CgroupPermissions\":\"rwm\",\"PathInContainer\":\"/dev/a\",\"PathOnHost\":\"/dev/a\"}]"},
    {WORDS("--device", "/dev/a:/dev/b:r"), HOST("Devices"),
     "[{\"CgroupPermissions\":\"r\",\"PathInContainer\":\"/dev/b\",\"PathOnHost\":\"/dev/a\"}]"},
    {WORDS("--device", "/dev/a:rw"), HOST("Devices"),
     "[{\"CgroupPermissions\":\"rw\",\"PathInContainer\":\"/dev/a\",\"PathOnHost\":\"/dev/a\"}]"},
    {WORDS("--device-cgroup-rule", "c 1:* rwm"), HOST("DeviceCgroupRules"), "[\"c 1:* rwm\"]"},
    {WORDS("--device-read-bps", "/dev/a:1mb"), HOST("BlkioDeviceReadBps"), "[{\"Path\":\"/dev/a\",\"Rate\":1048576}]"},
    {WORDS("--device-write-bps", "/dev/a:1"), HOST("BlkioDeviceWriteBps"), "[{\"Path\":\"/dev/a\",\"Rate\":1}]"},
    {WORDS("--device-read-iops", "/dev/a:7"), HOST("BlkioDeviceReadIOps"), "[{\"Path\":\"/dev/a\",\"Rate\":7}]"},
    {WORDS("--device-write-iops", "/dev/a:8"), HOST("BlkioDeviceWriteIOps"), "[{\"Path\":\"/dev/a\",\"Rate\":8}]"},
    {WORDS("--dns", "1.1.1.1"), HOST("Dns"), "[\"1.1.1.1\"]"},
    {WORDS("--dns-option", "ndots:2"), HOST("DnsOptions"), "[\"ndots:2\"]"},
    {WORDS("--dns-search", "a.b"), HOST("DnsSearch"), "[\"a.b\"]"},
    {WORDS("--expose", "80", "--expose", "90-91/udp"), "ExposedPorts", "{\"80/tcp\":{},\"90/udp\":{},\"91/udp\":{}}"},
    {WORDS("--gpus", "all"), HOST("DeviceRequests"),
     "[{\"Capabilities\":[[\"gpu\"]],\"Count\":-1,\"Driver\":\"\",\"Options\":{}}]"},
    {WORDS("--gpus", "device=0,1"), HOST("DeviceRequests"),
     "[{\"Capabilities\":[[\"gpu\"]],\"Count\":0,\"DeviceIDs\":[\"0\",\"1\"],\"Driver\":\"\",\"Options\":{}}]"},
    {WORDS("--group-add", "1"), HOST("GroupAdd"), "[\"1\"]"},
    {WORDS("--health-cmd", "x", "--health-interval", "1m30s", "--health-retries", "3", "--health-timeout", "500ms",
           "--health-start-period", "1h", "--health-start-interval", "2s"),
     "Healthcheck",
     "{\"Interval\":90000000000,\"Retries\":3,\"StartInterval\":2000000000,\"StartPeriod\":3600000000000,"
     "\"Test\":[\"CMD-SHELL\",\"x\"],\"Timeout\":500000000}"},
    {WORDS("--no-healthcheck"), "Healthcheck", "{\"Test\":[\"NONE\"]}"},
    {WORDS("--health-on-failure", "kill"), "Labels", "{\"io.bulkhead.health-on-failure\":\"kill\"}"},
    {WORDS("--init"), HOST("Init"), "true"},
    {WORDS("--ipc", "host"), HOST("IpcMode"), "\"host\""},
    {WORDS("--isolation", "default"), HOST("Isolation"), "\"default\""},
    {WORDS("--link", "a:b"), HOST("Links"), "[\"a:b\"]"},
    {WORDS("--log-driver", "local", "--log-opt", "max-size=1m"), HOST("LogConfig"),
     "{\"Config\":{\"max-size\":\"1m\"},\"Type\":\"local\"}"},
    {WORDS("-m", "64m"), HOST("Memory"), "67108864"},
    {WORDS("--memory-reservation", "1k"), HOST("MemoryReservation"), "1024"},
    {WORDS("--memory-swap", "-1"), HOST("MemorySwap"), "-1"},
    {WORDS("--memory-swappiness", "10"), HOST("MemorySwappiness"), "10"},
    {WORDS("--memory-swappiness", "-1"), HOST("MemorySwappiness"), ""},
    {WORDS("--mount", "type=bind,src=/a,dst=/b,bind-propagation=rslave,ro"), HOST("Mounts"),
     "[{\"BindOptions\":{\"Propagation\":\"rslave\"},\"ReadOnly\":true,\"Source\":\"/a\",\"Target\":\"/"
     "b\",\"Type\":\"bind\"}]"},
    {WORDS("--mount", "dst=/b,volume-label=a=b,volume-driver=local,\"volume-opt=o=x,y\",volume-nocopy"), HOST("Mounts"),
     "[{\"Target\":\"/"
     "b\",\"Type\":\"volume\",\"VolumeOptions\":{\"DriverConfig\":{\"Name\":\"local\",\"Options\":{\"o\":"
     "\"x,y\"}},\"Labels\":{\"a\":\"b\"},\"NoCopy\":true}}]"},
    {WORDS("--network", "none"), HOST("NetworkMode"), "\"none\""},
    {WORDS("--network", "none"), "NetworkingConfig", ""},
    {WORDS("--network", "n", "--ip", "1.2.3.4", "--ip6", "::1", "--mac-address", "02:00:00:00:00:01", "--network-alias",
           "a", "--link-local-ip", "169.254.1.1"),
     "NetworkingConfig",
     "{\"EndpointsConfig\":{\"n\":{\"Aliases\":[\"a\"],\"IPAMConfig\":{\"IPv4Address\":\"1.2.3.4\",\"IPv6Address\":\"::"
     "1\","
     "\"LinkLocalIPs\":[\"169.254.1.1\"]},\"MacAddress\":\"02:00:00:00:00:01\"}}}"},
    {WORDS("--network", "name=n,alias=a,driver-opt=x=y,gw-priority=3", "--network", "m"), "NetworkingConfig",
     "{\"EndpointsConfig\":{\"m\":{},\"n\":{\"Aliases\":[\"a\"],\"DriverOpts\":{\"x\":\"y\"},\"GwPriority\":3}}}"},
    {WORDS("--oom-kill-disable"), HOST("OomKillDisable"), "true"},
    {WORDS("--oom-score-adj", "-5"), HOST("OomScoreAdj"), "-5"},
    {WORDS("--pid", "host"), HOST("PidMode"), "\"host\""},
    {WORDS("--pids-limit", "9"), HOST("PidsLimit"), "9"},
    {WORDS("--privileged"), HOST("Privileged"), "true"},
    {WORDS("-p", "8080:80", "-p", "[::1]:90:90/udp"), HOST("PortBindings"),
     "{\"80/tcp\":[{\"HostIp\":\"\",\"HostPort\":\"8080\"}],\"90/udp\":[{\"HostIp\":\"::1\",\"HostPort\":\"90\"}]}"},
    {WORDS("-p", "127.0.0.1::80"), HOST("PortBindings"), "{\"80/tcp\":[{\"HostIp\":\"127.0.0.1\",\"HostPort\":\"\"}]}"},
    {WORDS("-p", "8000-8010:80"), HOST("PortBindings"), "{\"80/tcp\":[{\"HostIp\":\"\",\"HostPort\":\"8000-8010\"}]}"},
    {WORDS("-p", "5-6:7-8"), HOST("PortBindings"),
     "{\"7/tcp\":[{\"HostIp\":\"\",\"HostPort\":\"5\"}],\"8/tcp\":[{\"HostIp\":\"\",\"HostPort\":\"6\"}]}"},
    {WORDS("-p", "target=80,published=81,protocol=udp"), HOST("PortBindings"),
     "{\"80/udp\":[{\"HostIp\":\"\",\"HostPort\":\"81\"}]}"},
    {WORDS("-P"), HOST("PublishAllPorts"), "true"},
    {WORDS("--read-only"), HOST("ReadonlyRootfs"), "true"},
    {WORDS("--restart", "on-failure:3"), HOST("RestartPolicy"), "{\"MaximumRetryCount\":3,\"Name\":\"on-failure\"}"},
    {WORDS("--rm"), HOST("AutoRemove"), "true"},
    {WORDS("--runtime", "runc"), HOST("Runtime"), "\"runc\""},
    {WORDS("--security-opt", "no-new-privileges"), HOST("SecurityOpt"), "[\"no-new-privileges\"]"},
    {WORDS("--security-opt", "systempaths=unconfined"), HOST("MaskedPaths"), "[]"},
    {WORDS("--shm-size", "1g"), HOST("ShmSize"), "1073741824"},
    {WORDS("--storage-opt", "size=1g"), HOST("StorageOpt"), "{\"size\":\"1g\"}"},
    {WORDS("--sysctl", "a=b"), HOST("Sysctls"), "{\"a\":\"b\"}"},
    {WORDS("--tmpfs", "/x:size=1m"), HOST("Tmpfs"), "{\"/x\":\"size=1m\"}"},
    {WORDS("--ulimit", "nofile=1:2"), HOST("Ulimits"), "[{\"Hard\":2,\"Name\":\"nofile\",\"Soft\":1}]"},
    {WORDS("--userns", "host"), HOST("UsernsMode"), "\"host\""},
    {WORDS("--uts", "host"), HOST("UTSMode"), "\"host\""},
    {WORDS("-v", "/a:/b:ro", "-v", "vol:/c"), HOST("Binds"), "[\"/a:/b:ro\",\"vol:/c\"]"},
    {WORDS("-v", "/anonymous"), "Volumes", "{\"/anonymous\":{}}"},
    {WORDS("--volume-driver", "local"), HOST("VolumeDriver"), "\"local\""},
    {WORDS("--volumes-from", "a:ro"), HOST("VolumesFrom"), "[\"a:ro\"]"},
};

Test(request, options_arrive_in_their_fields)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        cr_expect_eq(build(rows[i].words), 0, "%s: %s", rows[i].words[0], error.message);
        cr_expect_str_eq(at(rows[i].field), rows[i].wanted, "%s: %s is %s", rows[i].words[0], rows[i].field, compact);
    }
}

Test(request, what_was_not_said_is_left_out)
{
    cr_assert_eq(BUILD("--name", "x"), 0);
    cr_assert_str_eq(at("HostConfig"), "{}");
    cr_assert_str_eq(at("Healthcheck"), "");
    cr_assert_str_eq(at("ExposedPorts"), "");
}

Test(request, every_option_that_is_wrong_is_refused)
{
    static const struct {
        const char *words[20];
        const char *wanted; /* in the message */
    } bad[] = {
        {WORDS("--device", "null"), "invalid device"},
        {WORDS("--device", "/dev/a:/dev/b:rwx"), "invalid device"},
        {WORDS("--device-cgroup-rule", "x 1:1 r"), "invalid device cgroup format"},
        {WORDS("--device-cgroup-rule", "c 1 r"), "invalid device cgroup format"},
        {WORDS("--device-read-bps", "/dev/a:fast"), "invalid rate"},
        {WORDS("--device-read-iops", "/dev/a:1k"), "invalid rate"},
        {WORDS("--device-read-iops", "/etc/a:1"), "bad format for device path"},
        {WORDS("--blkio-weight-device", "/dev/a:5"), "invalid weight"},
        {WORDS("--gpus", "some"), "invalid --gpus"},
        {WORDS("--expose", "80/icmp"), "invalid port"},
        {WORDS("--expose", "1:2"), "invalid port format for --expose"},
        {WORDS("-p", "70000:1"), "invalid port"},
        {WORDS("-p", "1-2:3-5"), "same length"},
        {WORDS("-p", "::1:80:80"), "brackets"},
        {WORDS("-p", "[::1:80:80"), "brackets"},
        {WORDS("-p", "port=80"), "its fields are"},
        {WORDS("--mount", "type=bind,src=/a"), "target is required"},
        {WORDS("--mount", "dst=/b,what=1"), "unexpected key 'what'"},
        {WORDS("--mount", "type=bind,dst=/b,volume-nocopy"), "cannot mix"},
        {WORDS("--mount", "dst=/b,\"x"), "quote"},
        {WORDS("--network-alias", "a"), "user-defined networks"},
        {WORDS("--network", "a", "--network", "a"), "multiple times"},
        {WORDS("--network", "name=a,what=b"), "invalid field 'what=b'"},
        {WORDS("--add-host", "a"), "bad format for add-host"},
        {WORDS("--health-interval", "soon"), "health-interval"},
        {WORDS("--health-retries", "-1"), "cannot be negative"},
        {WORDS("--no-healthcheck", "--health-cmd", "x"), "conflicts"},
        {WORDS("--health-on-failure", "explode"), "none, kill, restart or stop"},
        {WORDS("--memory-swappiness", "101"), "0-100"},
        {WORDS("--log-driver", "none", "--log-opt", "a=b"), "invalid logging opts"},
        {WORDS("--rm", "--restart", "always"), "--restart and --rm"},
        {WORDS("--cpu-count", "2"), "Windows"},
        {WORDS("--cpu-percent", "2"), "Windows"},
        {WORDS("--io-maxbandwidth", "2m"), "Windows"},
        {WORDS("--io-maxiops", "2"), "Windows"},
        {WORDS("--disable-content-trust=false"), "policy"},
        {WORDS("--use-api-socket"), "socket"},
        {WORDS("-a", "stdnone"), "valid streams"},
        {WORDS("-d", "-a", "stdout"), "-a and -d"},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        char text[2048];
        cr_expect_eq(build(bad[i].words), -1, "accepted %s", bad[i].words[0]);
        cr_expect(strstr(bh_error_format(&error, text, sizeof(text)), bad[i].wanted), "%s %s: says %s", bad[i].words[0],
                  bad[i].words[1] ? bad[i].words[1] : "", text);
    }
}

Test(request, the_table_names_every_option_once_and_in_order)
{
    for (const struct option *row = container_options_table + CONTAINER_OPTIONS_OF_RUN; row[1].kind; row++) {
        cr_expect_lt(strcmp(row->name, row[1].name), 0, "%s before %s", row->name, row[1].name);
        cr_expect(row->help && *row->help, "%s has no help", row->name);
    }
}
