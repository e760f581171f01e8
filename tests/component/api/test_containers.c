/* SPDX-License-Identifier: Apache-2.0
 *
 * What becomes of a create request: every field that is read, every one that is refused, and the way back through
 * inspect.
 */
#include <criterion/criterion.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "container.pb-c.h"
#include "engine_double.h"

TestSuite(containers, .init = engine_double_start, .fini = engine_double_stop, .timeout = 60);

static const char *create(const char *parameters, const char *json)
{
    static char request[65536];
    snprintf(
        request, sizeof(request),
        "POST /v1.47/containers/create%s HTTP/1.1\r\nHost: d\r\nConnection: close\r\nContent-Type: application/json\r\n"
        "Content-Length: %zu\r\n\r\n%s",
        parameters, strlen(json), json);
    return http_once(request);
}

/* What docker 28 sends for `run --rm IMAGE true`: everything at its default must be accepted. */
static const char docker_default[] =
    "{\"Hostname\":\"\",\"Domainname\":\"\",\"User\":\"\",\"AttachStdin\":false,\"AttachStdout\":true,\"AttachStderr\":"
    "true,"
    "\"Tty\":false,\"OpenStdin\":false,\"StdinOnce\":false,\"Env\":null,\"Cmd\":[\"true\"],\"Image\":\"busybox\","
    "\"Volumes\":{},"
    "\"WorkingDir\":\"\",\"Entrypoint\":null,\"OnBuild\":null,\"Labels\":{},\"HostConfig\":{\"Binds\":null,"
    "\"ContainerIDFile\":"
    "\"\",\"LogConfig\":{\"Type\":\"\",\"Config\":{}},\"NetworkMode\":\"default\",\"PortBindings\":{},"
    "\"RestartPolicy\":{\"Name\":"
    "\"no\",\"MaximumRetryCount\":0},\"AutoRemove\":true,\"VolumeDriver\":\"\",\"VolumesFrom\":null,\"ConsoleSize\":["
    "24,80],"
    "\"CapAdd\":null,\"CapDrop\":null,\"CgroupnsMode\":\"\",\"Dns\":[],\"DnsOptions\":[],\"DnsSearch\":[],"
    "\"ExtraHosts\":null,"
    "\"GroupAdd\":null,\"IpcMode\":\"\",\"Cgroup\":\"\",\"Links\":null,\"OomScoreAdj\":0,\"PidMode\":\"\","
    "\"Privileged\":false,"
    "\"PublishAllPorts\":false,\"ReadonlyRootfs\":false,\"SecurityOpt\":null,\"UTSMode\":\"\",\"UsernsMode\":\"\","
    "\"ShmSize\":0,"
    "\"Isolation\":\"\",\"CpuShares\":0,\"Memory\":0,\"NanoCpus\":0,\"CgroupParent\":\"\",\"BlkioWeight\":0,"
    "\"BlkioWeightDevice\":"
    "[],\"BlkioDeviceReadBps\":[],\"BlkioDeviceWriteBps\":[],\"BlkioDeviceReadIOps\":[],\"BlkioDeviceWriteIOps\":[],"
    "\"CpuPeriod\":"
    "0,\"CpuQuota\":0,\"CpuRealtimePeriod\":0,\"CpuRealtimeRuntime\":0,\"CpusetCpus\":\"\",\"CpusetMems\":\"\","
    "\"Devices\":[],"
    "\"DeviceCgroupRules\":null,\"DeviceRequests\":null,\"MemoryReservation\":0,\"MemorySwap\":0,\"MemorySwappiness\":-"
    "1,"
    "\"OomKillDisable\":false,\"PidsLimit\":0,\"Ulimits\":[],\"CpuCount\":0,\"CpuPercent\":0,\"IOMaximumIOps\":0,"
    "\"IOMaximumBandwidth\":0,\"MaskedPaths\":null,\"ReadonlyPaths\":null},\"NetworkingConfig\":{\"EndpointsConfig\":{"
    "\"default\":"
    "{\"IPAMConfig\":null,\"Links\":null,\"Aliases\":null,\"DriverOpts\":null,\"GwPriority\":0,\"NetworkID\":\"\","
    "\"EndpointID\":"
    "\"\",\"Gateway\":\"\",\"IPAddress\":\"\",\"MacAddress\":\"\",\"IPPrefixLen\":0,\"IPv6Gateway\":\"\","
    "\"GlobalIPv6Address\":"
    "\"\",\"GlobalIPv6PrefixLen\":0,\"DNSNames\":null}}}}";

Test(containers, defaults_are_accepted_and_made_explicit)
{
    const char *response = create("?name=box", docker_default);
    cr_assert_eq(http_status(response), 201, "%s", response);
    cr_assert(strstr(response, "\"Id\":\"" DOUBLE_ID_HEX "\""));
    const Bulkhead__ContainerRequest *request = engine.created;
    cr_assert_str_eq(engine.created_name, "box");
    cr_assert_eq(request->network, BULKHEAD__NETWORK_MODE__NETWORK_MODE_LINKED);
    cr_assert_str_eq(request->network_mode, "default");
    cr_assert_eq(request->n_endpoints, 1);
    cr_assert_str_eq(request->endpoints[0]->network, "default");
    cr_assert_eq(request->seccomp, BULKHEAD__SECCOMP_MODE__SECCOMP_MODE_DEFAULT);
    cr_assert(request->no_new_privileges);
    cr_assert(request->auto_remove);
    cr_assert_eq(request->log->driver, BULKHEAD__LOG_DRIVER__LOG_DRIVER_JSON_FILE);
    cr_assert_eq(request->shm_bytes, 64 << 20);
    cr_assert_eq(request->tty_rows, 24);
    cr_assert_eq(request->tty_columns, 80);
    cr_assert_str_eq(request->restart_policy, "no");
    cr_assert_not(request->entrypoint_set);
    cr_assert_not(request->masked_paths_set);
}

Test(containers, every_field_arrives)
{
    const char *response = create(
        "",
        "{\"Image\":\"busybox\",\"Hostname\":\"box-1\",\"User\":\"app\",\"Env\":[\"A=b "
        "c\",\"D\"],\"Entrypoint\":\"\",\"Cmd\":\"ls\","
        "\"WorkingDir\":\"/w\",\"Labels\":{\"k\":\"v\"},\"StopSignal\":\"SIGRTMIN+3\",\"StopTimeout\":-1,\"Tty\":true,"
        "\"HostConfig\":{\"Binds\":[\"/src/:/dst//x:ro,z\"],\"Mounts\":[{\"Type\":\"bind\",\"Source\":\"/"
        "a\",\"Target\":\"/b\","
        "\"BindOptions\":{\"NonRecursive\":true}},{\"Type\":\"tmpfs\",\"Target\":\"/"
        "t\",\"TmpfsOptions\":{\"SizeBytes\":4096,"
        "\"Mode\":448}}],\"Tmpfs\":{\"/"
        "run\":\"size=64m,mode=700,exec\"},\"NetworkMode\":\"host\",\"CapAdd\":[\"net_admin\","
        "\"all\"],\"CapDrop\":[\"CAP_CHOWN\"],\"SecurityOpt\":[\"no-new-privileges:false\",\"seccomp=unconfined\"],"
        "\"Memory\":16777216,\"NanoCpus\":500000000,\"PidsLimit\":10,\"Ulimits\":[{\"Name\":\"nofile\",\"Soft\":10,"
        "\"Hard\":-1}],"
        "\"CpusetCpus\":\"0-3,7\",\"LogConfig\":{\"Type\":\"json-file\",\"Config\":{\"max-size\":\"10m\",\"max-file\":"
        "\"3\"}},"
        "\"ExtraHosts\":[\"db:10.0.0.1\"],\"Dns\":[\"1.1.1.1\"],\"ShmSize\":1048576,\"MaskedPaths\":[],"
        "\"ReadonlyPaths\":[],"
        "\"Sysctls\":{\"net.ipv4.ip_forward\":\"1\"},\"PidMode\":\"host\",\"GroupAdd\":[\"users\"]}}");
    cr_assert_eq(http_status(response), 201, "%s", response);
    const Bulkhead__ContainerRequest *request = engine.created;
    cr_assert_str_eq(request->host_name, "box-1");
    cr_assert_eq(request->n_env, 2);
    cr_assert(request->entrypoint_set);
    cr_assert_eq(request->n_entrypoint, 0);
    cr_assert_str_eq(request->cmd[0], "ls");
    cr_assert_eq(request->stop_timeout_s, UINT32_MAX);
    cr_assert_eq(request->n_mounts, 4);
    cr_assert_str_eq(request->mounts[0]->source, "/src");
    cr_assert_str_eq(request->mounts[0]->target, "/dst/x");
    cr_assert(request->mounts[0]->read_only && request->mounts[0]->recursive && request->mounts[0]->create_source);
    cr_assert(!request->mounts[1]->recursive && !request->mounts[1]->create_source);
    cr_assert_eq(request->mounts[2]->tmpfs_mode, 0700);
    cr_assert(request->mounts[2]->no_exec);
    cr_assert_eq(request->mounts[3]->tmpfs_bytes, 64 << 20);
    cr_assert_not(request->mounts[3]->no_exec);
    cr_assert_eq(request->network, BULKHEAD__NETWORK_MODE__NETWORK_MODE_HOST);
    cr_assert_str_eq(request->cap_add[0], "net_admin");
    cr_assert_str_eq(request->cap_add[1], "all");
    cr_assert_not(request->no_new_privileges);
    cr_assert_eq(request->seccomp, BULKHEAD__SECCOMP_MODE__SECCOMP_MODE_UNCONFINED);
    cr_assert_eq(request->resources->memory_swap_bytes, 32 << 20);
    cr_assert_eq(request->resources->cpu_quota_us, 50000);
    cr_assert_eq(request->resources->cpu_period_us, 100000);
    cr_assert_eq(request->limits[0]->hard, UINT64_MAX);
    cr_assert_eq(request->log->max_bytes, 10 << 20);
    cr_assert_eq(request->log->max_files, 3);
    cr_assert(request->masked_paths_set);
    cr_assert_str_eq(request->pid_mode, "host");
}

#define MOUNT_POINT                                                                                                    \
    "\"Mounts\":[{\"Type\":\"bind\",\"Source\":\"/src\",\"Destination\":\"/dst\",\"Mode\":\"ro\",\"RW\":false,"        \
    "\"Propagation\":\"rprivate\"}]"

Test(containers, inspect_goes_round)
{
    create("", "{\"Image\":\"busybox\",\"Labels\":{\"k\":\"v\"},\"HostConfig\":{\"Binds\":[\"/src:/"
               "dst:ro\"],\"Memory\":16777216,"
               "\"NanoCpus\":500000000,\"NetworkMode\":\"none\",\"Ulimits\":[{\"Name\":\"nofile\",\"Soft\":10,\"Hard\":"
               "-1}]}}");
    const char *response = http_once("GET /containers/c1/json HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\r\n");
    static const char *const has[] = {
        "\"Binds\":[\"/src:/dst:ro\"]",
        "\"Memory\":16777216,",
        "\"NanoCpus\":500000000,",
        "\"CpuQuota\":0,",
        "\"NetworkMode\":\"none\"",
        "\"Ulimits\":[{\"Name\":\"nofile\",\"Hard\":-1,\"Soft\":10}]",
        "\"Labels\":{\"k\":\"v\"}",
        MOUNT_POINT,
        "\"StartedAt\":\"0001-01-01T00:00:00Z\"",
        "\"Path\":\"sh\",\"Args\":[\"-c\"]",
        "\"MemorySwappiness\":null",
        "\"PidsLimit\":null",
    };
    cr_assert_eq(http_status(response), 200);
    for (size_t i = 0; i < sizeof(has) / sizeof(has[0]); i++) {
        cr_expect(strstr(response, has[i]), "%s is missing in %s", has[i], response);
    }
}

Test(containers, a_seccomp_profile_becomes_types)
{
    const char *response = create("", "{\"Image\":\"a\",\"HostConfig\":{\"SecurityOpt\":[\"seccomp={"
                                      "\\\"defaultAction\\\":\\\"SCMP_ACT_ERRNO\\\",\\\"defaultErrnoRet\\\":38,"
                                      "\\\"archMap\\\":[{\\\"architecture\\\":\\\"SCMP_ARCH_X86_64\\\"}],"
                                      "\\\"syscalls\\\":[{\\\"names\\\":[\\\"read\\\"],\\\"action\\\":"
                                      "\\\"SCMP_ACT_ALLOW\\\",\\\"includes\\\":{\\\"caps\\\":[\\\"CAP_SYS_ADMIN\\\"]}},"
                                      "{\\\"names\\\":[\\\"x\\\"],\\\"action\\\":"
                                      "\\\"SCMP_ACT_ALLOW\\\",\\\"includes\\\":{\\\"arches\\\":[\\\"s390x\\\"]}},{"
                                      "\\\"names\\\":[\\\"y\\\"],\\\"action\\\":"
                                      "\\\"SCMP_ACT_ALLOW\\\",\\\"includes\\\":{\\\"minKernel\\\":\\\"99.0\\\"}},{"
                                      "\\\"name\\\":\\\"personality\\\",\\\"action\\\":"
                                      "\\\"SCMP_ACT_ALLOW\\\",\\\"args\\\":[{\\\"index\\\":0,\\\"value\\\":8,"
                                      "\\\"op\\\":\\\"SCMP_CMP_EQ\\\"}]}]}\"]}}");
    cr_assert_eq(http_status(response), 201, "%s", response);
    Bulkhead__SeccompProfile *profile = bulkhead__seccomp_profile__unpack(NULL, engine.created->seccomp_profile.len,
                                                                          engine.created->seccomp_profile.data);
    cr_assert(profile);
    cr_assert_eq(engine.created->seccomp, BULKHEAD__SECCOMP_MODE__SECCOMP_MODE_PROFILE);
    cr_assert_eq(profile->default_errno, 38);
    cr_assert_eq(profile->n_rules, 2);
    cr_assert_eq(profile->rules[0]->include_capabilities, 1ULL << CAP_SYS_ADMIN);
    cr_assert_eq(profile->rules[1]->arguments[0]->value, 8);
    bulkhead__seccomp_profile__free_unpacked(profile, NULL);
}

Test(containers, what_cannot_be_done_is_refused_by_name)
{
    static const struct {
        const char *host_config;
        int status;
        const char *says;
    } cases[] = {
        {"\"Devices\":[{\"PathOnHost\":\"/etc/passwd\"}]", 400, "not a device node"},
        {"\"Devices\":[{\"PathOnHost\":\"/dev/../etc\"}]", 400, "not a device node"},
        {"\"Devices\":[{\"PathOnHost\":\"/dev/kvm\",\"CgroupPermissions\":\"rx\"}]", 400, "invalid device mode"},
        {"\"Devices\":[{\"PathOnHost\":\"/dev/kvm\",\"PathInContainer\":\"kvm\"}]", 400, "not absolute"},
        {"\"Devices\":[{\"PathOnHost\":\"/dev/kvm\",\"Frob\":1}]", 400, "Frob"},
        {"\"DeviceCgroupRules\":[\"c 10 rwm\"]", 400, "invalid device cgroup rule format: 'c 10 rwm'"},
        {"\"DeviceRequests\":[{\"Count\":-1,\"Capabilities\":[[\"gpu\"]]}]", 400,
         "could not select device driver \\\"\\\" with capabilities: [[\\\"gpu\\\"]]"},
        {"\"BlkioDeviceReadBps\":[{\"Path\":\"sda\",\"Rate\":1}]", 400, "below /dev"},
        {"\"BlkioWeightDevice\":[{\"Path\":\"/dev/sda\",\"Weight\":5}]", 400, "10 to 1000"},
        {"\"MemorySwappiness\":101", 400, "valid memory swappiness range is 0-100"},
        {"\"KernelMemory\":1", 400, "Minimum kernel memory limit allowed is 6MB"},
        {"\"CpuShares\":1", 400, "cpu shares"},
        {"\"Isolation\":\"hyperv\"", 400, "linux only supports 'default'"},
        {"\"Runtime\":\"kata\"", 400, "runtime name: kata"},
        {"\"PidMode\":\"container:\"", 400, "invalid PID mode"},
        {"\"IpcMode\":\"frob\"", 400, "invalid IPC mode: frob"},
        {"\"UTSMode\":\"container:x\"", 400, "invalid UTS mode"},
        {"\"CgroupnsMode\":\"frob\"", 400, "invalid cgroup namespace mode: frob"},
        {"\"NetworkMode\":\"container:x\",\"Dns\":[\"1.1.1.1\"]", 400, "conflicting options: dns"},
        {"\"NetworkMode\":\"container:\"", 400, "invalid container format"},
        {"\"Binds\":[\"data:/data:nonsense\"]", 400, "invalid mode: nonsense"},
        {"\"Binds\":[\"data:/data:rslave\"]", 400, "invalid mode: rslave"},
        {"\"Binds\":[\"/a:/b:nocopy\"]", 400, "invalid mode: nocopy"},
        {"\"Binds\":[\"data:/proc/x\"]", 400, "/proc"},
        {"\"StorageOpt\":{\"size\":\"1k\"}", 400, "size=1k"},
        {"\"StorageOpt\":{\"frob\":\"1g\"}", 400, "frob"},
        {"\"Binds\":[\"/a:/b:shared\"]", 501, "propagation"},
        {"\"Binds\":[\"/a:/b:frob\"]", 400, "invalid mode"},
        {"\"Binds\":[\"/a:/\"]", 400, "destination can't be"},
        {"\"Binds\":[\"/a/../b:/c\"]", 400, "without"},
        {"\"Binds\":[\"/a:b\"]", 400, "absolute"},
        {"\"Binds\":[\"/a:/b\",\"/c:/b/\"]", 400, "Duplicate mount point: /b"},
        {"\"Mounts\":[{\"Type\":\"volume\",\"Target\":\"/v\",\"ReadOnly\":true}]", 400, "anonymous volumes"},
        {"\"Mounts\":[{\"Type\":\"volume\",\"Target\":\"/v\",\"VolumeOptions\":{\"Subpath\":\"../x\"}}]", 400,
         "subpath"},
        {"\"Mounts\":[{\"Type\":\"bind\",\"Target\":\"/v\"}]", 400, "field Source must not be empty"},
        {"\"Mounts\":[{\"Type\":\"bind\",\"Source\":\"/v\"}]", 400, "field Target must not be empty"},
        {"\"Mounts\":[{\"Type\":\"bind\",\"Source\":\"/v\",\"Target\":\"/v\",\"VolumeOptions\":{\"NoCopy\":true}}]",
         400, "field VolumeOptions must not be specified"},
        {"\"Mounts\":[{\"Type\":\"frob\",\"Target\":\"/v\"}]", 400, "mount type unknown"},
        {"\"Mounts\":[{\"Type\":\"npipe\",\"Target\":\"/v\"}]", 501, "npipe"},
        {"\"Tmpfs\":{\"/t\":\"uid=70000\"}", 400, "uid=70000"},
        {"\"RestartPolicy\":{\"Name\":\"sometimes\"}", 400, "invalid restart policy"},
        {"\"LogConfig\":{\"Type\":\"syslog\"}", 400, "syslog"},
        {"\"LogConfig\":{\"Type\":\"json-file\",\"Config\":{\"path\":\"/etc\"}}", 400, "unknown log opt 'path'"},
        {"\"PortBindings\":{\"80/frob\":[{}]}", 400, "invalid port specification"},
        {"\"PortBindings\":{\"80/tcp\":[{\"HostPort\":\"70000\"}]}", 400, "invalid port specification: \\\"70000\\\""},
        {"\"PortBindings\":{\"80/tcp\":[{\"HostIp\":\"x\"}]}", 400, "invalid IP address: x"},
        {"\"PortBindings\":{\"80/tcp\":{}}", 400, "arrays"},
        {"\"CapAdd\":[\"FLY\"]", 400, "invalid CapAdd: unknown capability: \\\"CAP_FLY\\\""},
        {"\"SecurityOpt\":[\"seccomp={}\"]", 400, "unknown action"},
        {"\"SecurityOpt\":[\"apparmor=mine\"]", 501, "policy"},
        {"\"SecurityOpt\":[\"frob\"]", 400, "invalid --security-opt"},
        {"\"Memory\":1000", 400, "Minimum memory limit allowed is 6MB"},
        {"\"MemorySwap\":10000000", 400, "always set the Memory limit"},
        {"\"NanoCpus\":900000000000000", 400, "Range of CPUs"},
        {"\"NanoCpus\":1000000000,\"CpuQuota\":5000", 400, "Conflicting options"},
        {"\"CpusetCpus\":\"3-1\"", 400, "cpuset cpus"},
        {"\"Ulimits\":[{\"Name\":\"nofile\",\"Soft\":5,\"Hard\":3}]", 400, "soft limit"},
        {"\"Ulimits\":[{\"Name\":\"frob\",\"Soft\":1,\"Hard\":3}]", 400, "frob"},
        {"\"OomScoreAdj\":5000", 400, "oom score"},
        {"\"ExtraHosts\":[\"a:1.2.3.4\\n6.6.6.6 b\"]", 400, "add-host"},
        {"\"Dns\":[\"x\"]", 400, "nameserver"},
        {"\"UsernsMode\":\"host\"", 403, "UsernsMode"},
        {"\"Frobnicate\":1", 400, "HostConfig.Frobnicate"},
        {"\"NetworkMode\":\"host\",\"Links\":[\"a:b\"]", 400, "host type networking can't be used with links"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char json[1024];
        snprintf(json, sizeof(json), "{\"Image\":\"busybox\",\"HostConfig\":{%s}}", cases[i].host_config);
        const char *response = create("", json);
        cr_expect_eq(http_status(response), cases[i].status, "%s answered %s", json, response);
        cr_expect(strstr(response, cases[i].says), "%s answered %s", json, response);
    }
    static const struct {
        const char *parameters, *json, *says;
    } more[] = {
        {"?name=a", "{\"Image\":\"b\"}", "Invalid container name (a), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed"},
        {"?name=..%2f..", "{\"Image\":\"b\"}", "Invalid container name"},
        {"", "{\"Image\":\"b\",\"Hostname\":\"a_b\"}", "invalid hostname"},
        {"", "{\"Image\":\"b\",\"Env\":[\"=x\"]}", "invalid environment variable: =x"},
        {"", "{\"Image\":\"b\",\"WorkingDir\":\"rel\"}", "absolute path"},
        {"", "{\"Image\":\"b\",\"StopSignal\":\"SIGFROB\"}", "invalid signal"},
        {"", "{\"Image\":\"b\",\"Volumes\":[\"/v\"]}", "Volumes"},
        {"", "{\"Image\":\"b\",\"MacAddress\":\"x\"}", "invalid MAC address: x"},
        {"",
         "{\"Image\":\"b\",\"NetworkingConfig\":{\"EndpointsConfig\":{\"n\":{\"IPAMConfig\":{\"IPv4Address\":\"fd00::"
         "1\"}}}}}",
         "invalid IPv4 address: fd00::1"},
        {"", "{\"Image\":\"b\",\"NetworkingConfig\":{\"EndpointsConfig\":{\"n\":{\"Aliases\":[\"a b\"]}}}}",
         "invalid network alias"},
        {"", "{\"Image\":\"b\",\"NetworkingConfig\":{\"EndpointsConfig\":{\"n\":{\"Frob\":1}}}}",
         "EndpointSettings.Frob"},
    };
    for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++) {
        const char *response = create(more[i].parameters, more[i].json);
        cr_expect_geq(http_status(response), 400, "%s", response);
        cr_expect(strstr(response, more[i].says), "%s answered %s", more[i].json, response);
    }
    cr_assert_null(engine.created, "nothing of this reached the engine");
}

Test(containers, filters_are_checked)
{
    cr_assert_eq(
        http_status(http_once("GET /containers/json?all=1&filters=%7B%22status%22%3A%5B%22exited%22%5D%7D HTTP/1.1\r\n"
                              "Host: d\r\nConnection: close\r\n\r\n")),
        200);
    cr_assert_eq(
        http_status(http_once(
            "GET /containers/json?limit=-1&size=0&trunc_cmd=0&filters=%7B%22label%22%3A%7B%22a%22%3Atrue%7D%7D "
            "HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\r\n")),
        200);
    const char *response = http_once("GET /containers/json?filters=%7B%22frob%22%3A%5B%5D%7D HTTP/1.1\r\nHost: d\r\n"
                                     "Connection: close\r\n\r\n");
    cr_assert_eq(http_status(response), 400);
    cr_assert(strstr(response, "invalid filter 'frob'"));
}
