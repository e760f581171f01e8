#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What a container can be created with, each option seen from inside: devices, shared namespaces, limits. With docker; the rules with a
# second tenant.
# slow
source "$(dirname "$0")/../lib/system.sh"

ALICE=61001
client=docker
at_end "rm -f /dev/shm/file-$$ /dev/shm/bulkhead-test-$$ /dev/shm/bulkhead-test-$$.back"

as_alice() { setpriv --reuid $ALICE --regid $ALICE --clear-groups env HOME="$WORK" DOCKER_CONFIG="$WORK/alice" "$@"; }
prepare() {
    chmod 0755 "$ENGINE" "$WORK"
    chmod 0666 "$SOCKET"
    chmod 0644 "$WORK/busybox.tar"
    mkdir -p "$WORK/alice"
    chown $ALICE "$WORK/alice"
    as_alice docker load -i "$WORK/busybox.tar"
    docker run -d --name donor --hostname donated --ipc shareable --network none "$IMAGE" sh -c 'echo shared >/dev/shm/file; exec sleep 1000'
    docker run -d --name closed --network none "$IMAGE" sleep 1000
    docker create --name asleep --network none "$IMAGE" sleep 1000
    as_alice docker run -d --name hers --network none "$IMAGE" sleep 1000
}
# refused STATUS PATTERN COMMAND...
refused() {
    local status=$1 pattern=$2
    shift 2
    exits "$status" "$@"
    matches "$(cat "$WORK/err")" "$pattern"
}

# ---- devices -----------------------------------------------------------------------------------------

device_nodes() {
    equal "$(run_in --device /dev/kmsg -- stat -c '%t:%T %u' /dev/kmsg)" "1:b 0"
    equal "$(run_in --device /dev/zero:/dev/deep/er/nought -- sh -c 'head -c 3 /dev/deep/er/nought | wc -c')" 3
    equal "$(run_in --device /dev/zero:/srv/zero -- sh -c 'head -c 3 /srv/zero | wc -c')" 3 "outside of /dev"
    equal "$(run_in -- sh -c 'ls /dev/loop0 2>/dev/null; echo none')" none "without --device"
}
device_permissions() {
    # first without the restriction: a loop device opens for reading and writing
    run_in --device /dev/loop0:/dev/loop0:rw -- sh -c ': </dev/loop0 && : >>/dev/loop0'
    run_in --device /dev/loop0:/dev/loop0:r -- sh -c ': </dev/loop0'
    ! run_in --device /dev/loop0:/dev/loop0:r -- sh -c ': >>/dev/loop0' || return 1
}
device_folders() {
    equal "$(run_in --device /dev/net -- ls /dev/net)" "$(ls /dev/net)"
    equal "$(run_in --device /dev/net:/srv/net -- ls /srv/net)" "$(ls /dev/net)"
}
# host_devices : number and name of each node in the host's /dev, but of what a container has of its own
host_devices() {
    (cd /dev && find . -xdev \( -type b -o -type c \) ! -path './pts/*' ! -path './shm/*' ! -path './mqueue/*' ! -name console ! -name ptmx -exec stat -c '%t:%T %n' {} + | sort)
}
all_devices() {
    local disk
    host_devices >"$WORK/host"
    [ "$(wc -l <"$WORK/host")" -gt 20 ]
    run_in --privileged -- sh -c "cd /dev && find . -xdev '(' -type b -o -type c ')' ! -path './pts/*' -exec stat -c '%t:%T %n' {} + | sort" >"$WORK/inside"
    equal "$(grep -vxFf "$WORK/inside" "$WORK/host")" "" "missing"
    run_in --privileged -- sh -c 'ls -l /dev/ptmx /dev/console 2>&1; touch /dev/shm/x' >"$WORK/own"
    matches "$(cat "$WORK/own")" 'ptmx -> pts/ptmx'
    disk=$(awk '$1 ~ "^b" { print $2; exit }' < <(cd /dev && find . -xdev -type b -printf 'b %P\n' | sort))
    # first without: the node is not there, and nobody opens one brought along by name without the cgroup's leave
    ! run_in -- test -e "/dev/$disk" || return 1
    run_in --privileged -- sh -c ": <'/dev/$disk'"
    run_in --privileged --device /dev/zero:/dev/deep/nought -- sh -c ": </dev/deep/nought && : <'/dev/$disk'"
}
all_devices_by_policy() {
    echo '{"version": 1, "tenants": ["root"], "devices": ["/dev/fuse", "/dev/s*"]}' >"$ENGINE/policy.d/50-root.json"
    chmod 0644 "$ENGINE/policy.d/50-root.json"
    kill -HUP "$(engine_pid "$ENGINE")"
    eventually refused_all
    rm "$ENGINE/policy.d/50-root.json"
    kill -HUP "$(engine_pid "$ENGINE")"
    eventually run_in --privileged -- true
}
refused_all() {
    run_in --privileged -- true 2>"$WORK/err" && return 1
    matches "$(cat "$WORK/err")" 'device /dev .rwm. is not allowed; /dev/fuse, /dev/s\* is .rule "devices"'
}
device_rules() {
    run_in --device-cgroup-rule 'c 10:* rwm' -- true
    # the client looks at the form itself
    matches "$(curl -s --unix-socket "$SOCKET" -H 'Content-Type: application/json' -d '{"Image":"busybox","HostConfig":{"DeviceCgroupRules":["x 1:2 r"]}}' \
        http://localhost/containers/create)" "invalid device cgroup rule format: 'x 1:2 r'"
}
bad_devices() {
    # 127 is what the client makes of these words, from whomever they come
    refused 127 "error gathering device information while adding custom device \"/dev/nope\": no such file" \
        docker run --rm --network none --device /dev/nope "$IMAGE" true
    refused 125 "not a device node" docker run --rm --network none --device /dev/../etc/passwd "$IMAGE" true
    refused 125 "does not lie in /dev itself" docker run --rm --network none --device /dev/fd "$IMAGE" true
    : >/dev/shm/file-$$
    refused 125 "does not lie in /dev itself" docker run --rm --network none --device /dev/shm/file-$$:/dev/x "$IMAGE" true
    refused 125 "cannot be placed" docker run --rm --network none --device /dev/zero:/dev/pts/7 "$IMAGE" true
    refused 125 "could not select device driver" docker run --rm --network none --gpus all "$IMAGE" true
    equal "$(docker ps -aq --filter ancestor="$IMAGE" | wc -l)" 3 "containers left behind"
}
device_rule_of_policy() {
    refused 125 'device /dev/loop0 \(rwm\) is not allowed; nothing is \(rule "devices" of the built-in rules for other tenants\)' \
        as_alice docker run --rm --network none --device /dev/loop0 "$IMAGE" true
    refused 125 'rule "device_rules"' as_alice docker run --rm --network none --device-cgroup-rule 'c 10:* rwm' "$IMAGE" true
}

# ---- shared namespaces ----------------------------------------------------------------------------------

shares_network() {
    local mine theirs
    theirs=$(docker inspect -f '{{.State.Pid}}' donor | xargs -I{} readlink /proc/{}/ns/net)
    mine=$(docker run --rm --network container:donor "$IMAGE" sh -c 'readlink /proc/self/ns/net; hostname; echo $HOSTNAME; ping -c 1 -w 5 127.0.0.1 >/dev/null && echo pong')
    equal "$mine" "$theirs"$'\ndonated\ndonated\npong'
    refused 125 "cannot join network of a non running container" docker run --rm --network container:asleep "$IMAGE" true
    refused 125 "No such container: nope" docker run --rm --network container:nope "$IMAGE" true
    refused 125 "conflicting options: hostname and the network mode" docker run --rm --network container:donor --hostname x "$IMAGE" true
}
shares_pid() {
    matches "$(run_in --pid container:donor -- ps -o pid,args)" " 1 sleep 1000"
    refused 125 "cannot join PID of a non running container" docker run --rm --network none --pid container:asleep "$IMAGE" true
    refused 125 "No such container: nope" docker run --rm --network none --pid container:nope "$IMAGE" true
}
host_shm() {
    local file=/dev/shm/bulkhead-test-$$
    echo hosts >"$file"
    equal "$(run_in -- ls /dev/shm)" "" "without --ipc host"
    equal "$(run_in --ipc host -- sh -c "cat $file && echo back >$file.back")" hosts
    equal "$(cat "$file.back") $(stat -c '%u:%g' "$file.back")" "back 0:0"
    ! run_in --ipc host -- sh -c "cp /bin/busybox $file.back && chmod 0755 $file.back && $file.back true" || return 1
    refused 125 "the host's IPC namespace is not allowed" as_alice docker run --rm --network none --ipc host "$IMAGE" true
    rm -f "$file" "$file.back"
}
# the host's first process, the container's own as the host numbers it, and no right over anybody's
host_processes() {
    local own
    docker run -d --name seer --pid host --network none "$IMAGE" sleep 1000
    own=$(docker inspect -f '{{.State.Pid}}' seer)
    equal "$(docker exec seer cat "/proc/$own/cmdline" | tr '\0' ' ')" "sleep 1000 "
    equal "$(docker exec seer cat /proc/1/comm)" "$(cat /proc/1/comm)"
    ! docker exec seer kill -0 1 || return 1
    ! docker exec seer sh -c 'echo 1 >/proc/sys/kernel/panic' || return 1
    ! docker exec seer cat /proc/1/environ || return 1
    docker stop -t 0 seer
    docker rm seer
    run_in --pid host --privileged -- cat /proc/1/comm
}
shares_ipc() {
    equal "$(run_in --ipc container:donor -- cat /dev/shm/file)" shared
    run_in --ipc container:donor -- sh -c 'echo back >/dev/shm/answer'
    equal "$(run_in --pid container:donor --ipc container:donor -- cat /dev/shm/answer)" back
    refused 125 "non-shareable IPC" docker run --rm --network none --ipc container:closed "$IMAGE" true
    equal "$(run_in --ipc none -- sh -c 'grep -c " /dev/shm " /proc/mounts')" 0 "with --ipc none"
    equal "$(run_in --ipc private -- sh -c 'ls /dev/shm | wc -l')" 0
}
shares_with_an_init() {
    docker run -d --name inited --init --ipc shareable --network none "$IMAGE" sleep 1000
    equal "$(docker run --rm --network container:inited --pid container:inited --ipc container:inited "$IMAGE" sh -c 'hostname; echo >/dev/shm/x && echo ok')" \
        "$(docker inspect -f '{{.Config.Hostname}}' inited)"$'\nok'
    equal "$(docker exec inited echo inside)" inside
    docker rm -f inited
}
shares_nothing_foreign() {
    for mode in "--network container:hers" "--network none --pid container:hers" "--network none --ipc container:hers"; do
        # shellcheck disable=SC2086
        refused 125 "No such container: hers" docker run --rm $mode "$IMAGE" true
    done
    refused 125 "No such container: donor" as_alice docker run --rm --network container:donor "$IMAGE" true
    as_alice docker run --rm --network container:hers "$IMAGE" true
}
ends_with_its_pid_namespace() {
    docker run -d --name host --network none "$IMAGE" sleep 1000
    docker run -d --name guest --network none --pid container:host "$IMAGE" sleep 1000
    docker rm -f host
    equal "$(docker wait guest)" 137
    refused 1 "cannot join PID|No such container" docker start guest
    docker rm guest
}
cgroup_namespaces() {
    equal "$(run_in -- sed -n '/memory/s/.*://p' /proc/self/cgroup)" /
    matches "$(run_in --cgroupns host -- sed -n '/memory/s/.*://p' /proc/self/cgroup)" "/$CGROUP/"
    ! run_in --cgroupns host -- mkdir /sys/fs/cgroup/memory/mine || return 1
    refused 125 'cgroup namespace is not allowed.*rule "host_namespaces"' as_alice docker run --rm --network none --cgroupns host "$IMAGE" true
    matches "$(run_in --cgroup-parent /below/here --cgroupns host -- sed -n '/memory/s/.*://p' /proc/self/cgroup)" "/$CGROUP/below/here/"
    refused 125 'cgroup parent x is not allowed.*rule "cgroup_parents"' as_alice docker run --rm --network none --cgroup-parent x "$IMAGE" true
    refused 125 'cgroup parent' docker run --rm --network none --cgroup-parent ../up "$IMAGE" true
}
user_namespaces() {
    refused 125 'UsernsMode' docker run --rm --network none --userns host "$IMAGE" true
}

# ---- the rest ------------------------------------------------------------------------------------------

# limit FILE OPTION... : what the cgroup file says, seen from inside
limit() {
    local file=$1
    shift
    run_in "$@" -- cat "/sys/fs/cgroup/$file"
}
limits() {
    equal "$(limit memory/memory.swappiness --memory-swappiness 7)" 7
    equal "$(limit memory/memory.soft_limit_in_bytes --memory 64m --memory-reservation 32m)" 33554432
    equal "$(limit memory/memory.memsw.limit_in_bytes --memory 64m)" 134217728
    equal "$(limit memory/memory.memsw.limit_in_bytes --memory 64m --memory-swap 96m)" 100663296
    equal "$(limit cpu/cpu.shares --cpu-shares 77)" 77
    equal "$(limit cpu/cpu.cfs_quota_us --cpus 0.5)" 50000
    equal "$(limit cpuset/cpuset.cpus --cpuset-cpus 0)" 0
    equal "$(limit pids/pids.max --pids-limit 33)" 33
    equal "$(limit pids/pids.max --pids-limit -1)" max
    matches "$(limit memory/memory.oom_control --memory 64m --oom-kill-disable)" "oom_kill_disable 1"
    equal "$(limit blkio/blkio.throttle.read_bps_device --device-read-bps /dev/loop0:1mb)" "7:0 1048576"
    equal "$(limit blkio/blkio.throttle.write_iops_device --device-write-iops /dev/loop0:99)" "7:0 99"
    refused 125 "not a block device" docker run --rm --network none --device-read-bps /dev/null:1mb "$IMAGE" true
    refused 127 "no such file" docker run --rm --network none --device-read-bps /dev/nope:1mb "$IMAGE" true
}
process_options() {
    equal "$(run_in --ulimit nofile=77:99 -- sh -c 'ulimit -n; ulimit -Hn')" $'77\n99'
    equal "$(run_in --group-add 1234 --group-add 7 -- sh -c 'id -G | tr " " "\n" | sort -n | xargs')" "0 7 1234"
    refused 125 "nosuchgroup" docker run --rm --network none --group-add nosuchgroup "$IMAGE" true
    equal "$(run_in --shm-size 3m -- sh -c 'df -k /dev/shm | tail -1 | while read -r a b c; do echo $b; done')" 3072
    equal "$(run_in --init -- sh -c 'echo $PPID')" 1
    equal "$(run_in --sysctl net.ipv4.ip_unprivileged_port_start=5 -- cat /proc/sys/net/ipv4/ip_unprivileged_port_start)" 5
    refused 125 "sysctl" docker run --rm --network none --sysctl kernel.core_pattern=x "$IMAGE" true
    equal "$(run_in --hostname inner --domainname example.org -- cat /proc/sys/kernel/hostname /proc/sys/kernel/domainname)" $'inner\nexample.org'
    ! run_in --read-only -- touch /x || return 1
    run_in --security-opt label=disable --security-opt apparmor=unconfined -- true
    refused 125 'rule "labels"' as_alice docker run --rm --network none --security-opt label=disable "$IMAGE" true
}

system_start
system_load
check "containers to share with" prepare
check "devices: nodes in /dev and elsewhere" device_nodes
check "devices: what may be done with them" device_permissions
check "devices: folders" device_folders
check "devices: a privileged container has all of the host's" all_devices
check "devices: unless its policy does not allow all" all_devices_by_policy
check "devices: rules by number" device_rules
check "devices: what is refused, leaving nothing" bad_devices
check "devices: other tenants need a rule" device_rule_of_policy
check "the network of another container" shares_network
check "the processes of another container" shares_pid
check "the host's processes" host_processes
check "the shared memory of another container" shares_ipc
check "the shared memory of the host" host_shm
check "namespaces of a container with an init, and exec in it" shares_with_an_init
check "nothing of another tenant's container" shares_nothing_foreign
check "a container ends with the PID namespace it shares" ends_with_its_pid_namespace
check "cgroup namespaces and parents" cgroup_namespaces
check "the host's user namespace is for nobody" user_namespaces
check "limits, seen from inside" limits
check "what a process is given" process_options
docker rm -f donor closed asleep >/dev/null
as_alice docker rm -f hers >/dev/null
check "nothing is left behind" nothing_left
