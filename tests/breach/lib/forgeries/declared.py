# SPDX-License-Identifier: Apache-2.0
"""What is forged, as data. Nothing here touches a running engine."""
import re

# ---- api to engine: every request of the protocol, with another tenant's object in it ---------------------

# {0} is the object; how many pipes go along is the engine's dispatch table's.
OF_CONTAINERS = {
    "look_up_container": 'reference: "{0}"', "stop_container": 'reference: "{0}"', "kill_container": 'reference: "{0}"', "delete_container": 'reference: "{0}"',
    "run_container": 'reference: "{0}"', "wait_container": 'reference: "{0}" condition: WAIT_CONDITION_NOT_RUNNING', "read_logs": 'reference: "{0}"',
    "restart_container": 'reference: "{0}"', "pause_container": 'reference: "{0}"', "rename_container": 'reference: "{0}" name: "mine"',
    "get_processes": 'reference: "{0}"', "list_changes": 'reference: "{0}"', "stat_path": 'reference: "{0}" path: "/etc/passwd"',
    "read_archive": 'reference: "{0}" path: "/etc"', "write_archive": 'reference: "{0}" path: "/"', "export_container": 'reference: "{0}"',
    "commit_container": 'container: "{0}"', "attach_container": 'reference: "{0}" stdout: true', "resize_container": 'reference: "{0}" rows: 10 columns: 10',
    "create_exec": 'reference: "{0}" request {{ args: "/bin/sh" }}', "detach_container": 'reference: "{0}"', "change_container": 'reference: "{0}" resources {{}}',
    "get_stats": 'reference: "{0}"',
}
OF_EXECS = {"run_exec": 'id: "{0}"', "look_up_exec": 'id: "{0}"', "resize_exec": 'id: "{0}" rows: 10 columns: 10', "wait_exec": 'id: "{0}"', "detach_exec": 'id: "{0}"'}
OF_IMAGES = {"inspect_image": 'reference: "{0}"', "delete_image": 'reference: "{0}"', "tag_image": 'source: "{0}" target: "docker.io/library/mine:1"',
             "save_images": 'references: "{0}"', "push_image": 'reference: "{0}"',
             "create_container": 'request {{ image: "{0}" network: NETWORK_MODE_NONE seccomp: SECCOMP_MODE_DEFAULT log {{ driver: LOG_DRIVER_NONE }} }}'}
OF_VOLUMES = {"look_up_volume": 'name: "{0}"', "delete_volume": 'name: "{0}"'}
OF_NETWORKS = {"look_up_network": 'reference: "{0}"', "delete_network": 'reference: "{0}"', "connect_network": 'reference: "{0}" container: "{1}"',
               "disconnect_network": 'reference: "{0}" container: "{1}"'}
OF_CONTAINERS_IN_NETWORKS = {"connect_network": 'reference: "bridge" container: "{0}" request {{ }}', "disconnect_network": 'reference: "bridge" container: "{0}"'}
LISTS = {"list_containers_of": "all: true", "list_images": "all: true", "list_volumes": "", "list_networks": "", "read_events": "after: 0"}
PRUNES = {"prune_containers": "", "prune_images": "", "prune_volumes": "all: true", "prune_networks": ""}
ROOTS_ALONE = {"get_privileges": "", "check_audit": ""}
# These name nothing that there is: a registry's image, an archive that comes along, something new, or the engine itself.
OF_NOBODY = {"get_info", "check_auth", "pull_image", "load_images", "import_image", "inspect_distribution", "search_registry", "create_volume", "create_network",
             "prune_nothing", "get_network_findings", "reload_networks"}


def requests_of(proto, message):
    """The names of all bodies of a message, from its .proto."""
    with open(proto) as file:
        text = file.read()
    return set(re.findall(r"^    \w+ (\w+) = \d+;", re.search(rf"^message {message} \{{.*?^\}}", text, re.M | re.S)[0], re.M))


# ---- engine to policyd: a container's spec, altered after the engine was told what it is -----------------

def changed(spec, pattern, replacement):
    text, n = re.subn(pattern, lambda _: replacement, spec, count=1, flags=re.M)
    assert n == 1, f"no {pattern} in {spec}"
    return text


def added(more):
    return lambda text, _: text + more


def replaced(field, value):
    """`value` may name the stranger: another tenant's container."""
    return lambda text, stranger: changed(text, rf"^{field}: .*$", f"{field}: " + value.format(**stranger))


NO_RIGHT, NO_SENSE, NOT_THERE = "PERMISSION_DENIED", "INVALID_ARGUMENT", "NOT_FOUND"
SPECS = {
    "ids of the host's": (added("id_base: 1"), NO_SENSE),
    "a range of ids": (added("id_count: 65536"), NO_SENSE),
    "a monitor that is somebody else": (added("monitor_uid: 1000"), NO_SENSE),
    "a cgroup of its choice": (added('cgroup_parent: "/"'), NO_SENSE),
    "host ids on bind mounts": (added("identity_binds: true"), NO_SENSE),
    "labels of its choice": (added('selinux_label: "system_u:system_r:spc_t:s0"'), NO_SENSE),
    "privileges": (added("privileged: true"), NO_RIGHT),
    "the host's processes": (added("host_pid: true"), NO_RIGHT),
    "the host's network": (replaced("network", "NETWORK_MODE_HOST"), NO_RIGHT),
    "every capability": (replaced("capabilities", str(2**41 - 1)), NO_RIGHT),
    "no seccomp list": (replaced("seccomp", "SECCOMP_MODE_UNCONFINED"), NO_RIGHT),
    "the host's /etc": (added('mounts { kind: MOUNT_KIND_BIND source: "/etc" target: "/host" }'), NO_RIGHT, NOT_THERE),
    "a volume that is not the tenant's": (added('mounts { kind: MOUNT_KIND_VOLUME target: "/v" volume: "' + "\\000" * 32 + '" volume_name: "v" }'), NOT_THERE),
    "a layer that is not there": (replaced("layers", '"' + "x" * 32 + '"'), NOT_THERE),
    "another tenant for the same container": (replaced("tenant_uid", "{uid}"), NO_RIGHT),
    "another tenant's network namespace": (replaced("network", 'NETWORK_MODE_JOINED join_network: "{id}"'), NO_RIGHT),
}
# {0} is the container, {1} an exec of it: both another tenant's, said to be this one's; {2} is what the exec would run.
OF_OTHERS = ("signal_container {{ {0} signal: 9 }}", "open_monitor {{ {0} }}", "open_log {{ {0} }}", "remove_container {{ {0} }}",
             "freeze_container {{ {0} frozen: true }}", "update_container {{ {0} resources {{ pids_max: 1 }} }}", "inspect_container {{ {0} }}",
             "read_stats {{ {0} }}", "list_processes {{ {0} }}", "open_exec_monitor {{ {1} }}", "signal_exec {{ {1} signal: 9 }}", "inspect_exec {{ {1} }}",
             "remove_exec {{ {1} }}", "judge_exec {{ spec {{ {1} {2} }} }}", "start_exec {{ spec {{ {1} {2} }} }}")
VIEWS = ("READ", "WRITE", "UPPER", "SIZE")  # of a container's files, by a copier

# ---- policyd to executor: what it may not have judged -----------------------------------------------------

JUDGED = {
    "the host's root in the container": ("id_base", "0"),
    "half a range of ids": ("id_count", "1"),
    "a monitor that is root": ("monitor_uid", "0"),
    "a cgroup above": ("cgroup_parent", '"/../.."'),
}

# ---- everybody to the supervisor: records that only the supervisor may write -----------------------------

CONFIG, FOLDER, PEER, GO, READY, CLIENT, RELOAD, STOP, PRIVILEGES = range(1, 10)
EXECUTOR_ROLE, ENGINE_ROLE = 9, 3
# who: what, (kind, role, tenant), how many descriptors, how many bytes are missing
RECORDS = {
    "api": ("asks who runs here", (PRIVILEGES, 0, 0), 0, 0),
    "engine": ("hands over a channel to the executor", (PEER, EXECUTOR_ROLE, 0), 1, 0),
    "store": ("hands over a client of another tenant", (CLIENT, 0, 61002), 1, 0),
    "fetcher": ("hands over a configuration", (CONFIG, 0, 0), 1, 0),
    "dialer": ("says stop", (STOP, 0, 0), 0, 0),
    "extractor": ("sends half a record", (READY, 0, 0), 0, 12),
    "policyd": ("is ready, with a descriptor", (READY, 0, 0), 1, 0),
    "executor": ("sends many descriptors", (PRIVILEGES, 0, 0), 40, 0),
    "netd": ("hands over a folder", (FOLDER, 0, 0), 1, 0),
}

# ---- a pull's worker to the dialer's -----------------------------------------------------------------------

# Addresses that no configuration of the test names, at a port where somebody listens.
DIALED = ("127.0.0.1", "localhost", "::1", "0.0.0.0", "::ffff:127.0.0.1", "169.254.169.254", "10.0.0.1", "192.168.0.1", "fd00:ec2::254", "2130706433", "0x7f.1")


def declared():
    """(who, to whom, what, what comes of it): the rows of docs/breach.md."""
    def list_of(*tables):
        return ", ".join(name for table in tables for name in table)
    yield "api", "engine", f"another tenant's container: {list_of(OF_CONTAINERS)}", "as if it were not there"
    yield "api", "engine", f"another tenant's exec: {list_of(OF_EXECS)}", "as if it were not there"
    yield "api", "engine", f"another tenant's image: {list_of(OF_IMAGES)}", "as if it were not there"
    yield "api", "engine", f"another tenant's volume or network: {list_of(OF_VOLUMES, OF_NETWORKS)}", "as if it were not there"
    yield "api", "engine", f"another tenant's container in its own network: {list_of(OF_CONTAINERS_IN_NETWORKS)}", "as if it were not there"
    yield "api", "engine", f"all that there is: {list_of(LISTS, PRUNES)}", "the tenant's own, and nobody else's"
    yield "api", "engine", f"what is root's alone: {list_of(ROOTS_ALONE)}", "refused"
    yield "api", "engine", "a field with another tenant's uid", "refused"
    yield "engine", "policyd", f"a spec with {'; '.join(SPECS)}", "refused, and in the audit log"
    yield "engine", "policyd", f"another tenant's container or exec: {', '.join(text.split()[0] for text in OF_OTHERS)}", "as if it were not there"
    yield "engine", "policyd", f"a copier in another tenant's container, of view {', '.join(VIEWS)}; drop_network of another tenant's", "refused"
    yield "engine", "policyd", "a judged start once more", "refused: it runs"
    yield "engine", "policyd", "a message in memory that can still be changed", "refused"
    yield "policyd", "executor", f"an unfilled spec; {'; '.join(JUDGED)}", "refused"
    for who, (what, *_) in RECORDS.items():
        yield who, "supervisor", what, "its end; nobody else notices"
    yield "either end of every channel", "the other", "descriptors that nobody asked for, bytes that are no message, and the executor's own start message", "closed, refused"
    yield "fetch, extract, store-intake, dial, dns, closer, copier, copier-reader, monitor", "whoever holds their channels", "the same", "closed, refused"
    yield "fetch", "dial", f"connections to {', '.join(DIALED)}", "refused"
    yield "fetch", "the network", "another destination for a connection that it was given", "refused"
