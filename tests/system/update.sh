#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# docker update: limits and restart policies of containers that run and that do not; Docker's refusals; policy.
# sanitize
source "$(dirname "$0")/../lib/system.sh"

ALICE=61001
client=docker
as_alice() { setpriv --reuid $ALICE --regid $ALICE --clear-groups env HOME="$WORK" DOCKER_CONFIG="$WORK/alice" "$@"; }
# of NAME FILE : what a cgroup file of the container says
of() { cat "/sys/fs/cgroup/${2%%/*}/$CGROUP/$(cat "$WORK/id-$1")/${2#*/}"; }
config() { docker inspect -f "{{.HostConfig.$2}}" "$1"; }
change() { curl -sf --unix-socket "$SOCKET" -H 'Content-Type: application/json' -d "$1" http://d/v1.47/containers/runs/update >/dev/null; }
refused() {
    local pattern=$1
    shift
    exits 1 "$@"
    matches "$(cat "$WORK/err")" "$pattern"
}

prepare() {
    docker run -d --cidfile "$WORK/id-runs" --name runs --network none --memory 64m --memory-swap 256m "$IMAGE" sleep 1000
    docker create --cidfile "$WORK/id-waits" --name waits --network none "$IMAGE" sleep 1000
    docker run -d --rm --name passing --network none "$IMAGE" sleep 1000
}
running() {
    equal "$(docker update --memory 128m --cpu-shares 77 --pids-limit 9 --cpuset-cpus 0 runs)" runs
    equal "$(of runs memory/memory.limit_in_bytes)" 134217728
    equal "$(of runs cpu/cpu.shares)" 77
    equal "$(of runs pids/pids.max)" 9
    equal "$(of runs cpuset/cpuset.cpus)" 0
    equal "$(config runs Memory) $(config runs MemorySwap) $(config runs CpuShares) $(config runs PidsLimit)" "134217728 268435456 77 9"
    docker update --pids-limit -1 runs
    equal "$(of runs pids/pids.max) $(config runs PidsLimit)" "max 0"
    change '{"PidsLimit": 12}'
    change '{"PidsLimit": null}'
    equal "$(of runs pids/pids.max) $(config runs PidsLimit)" "12 12"
    change '{"PidsLimit": 0}'
    equal "$(of runs pids/pids.max) $(config runs PidsLimit)" "max 0"
    docker update --cpu-quota 30000 runs
    docker update --cpu-quota -1 runs
    equal "$(of runs cpu/cpu.cfs_quota_us) $(config runs CpuQuota)" "-1 -1"
    docker update --cpus 0.5 runs
    equal "$(of runs cpu/cpu.cfs_quota_us) $(config runs NanoCpus) $(config runs CpuQuota)" "50000 500000000 0"
    docker update --memory 300m --memory-swap -1 runs
    equal "$(of runs memory/memory.memsw.limit_in_bytes) $(config runs MemorySwap)" "9223372036854771712 -1"
    docker update --memory-reservation 32m runs
    equal "$(of runs memory/memory.soft_limit_in_bytes)" 33554432
}
stopped() {
    docker update --memory 32m --memory-swap 32m --pids-limit 7 waits
    docker start waits
    equal "$(of waits memory/memory.limit_in_bytes) $(of waits pids/pids.max)" "33554432 7"
    docker stop -t 0 waits
}
stays_after_restart() {
    docker restart -t 0 runs
    equal "$(of runs cpu/cpu.shares) $(of runs memory/memory.limit_in_bytes)" "77 314572800"
}
restart_policy() {
    docker update --restart on-failure:3 runs
    equal "$(docker inspect -f '{{.HostConfig.RestartPolicy.Name}}:{{.HostConfig.RestartPolicy.MaximumRetryCount}}' runs)" on-failure:3
    docker update --memory 80m --memory-swap 80m runs
    equal "$(docker inspect -f '{{.HostConfig.RestartPolicy.Name}}:{{.HostConfig.RestartPolicy.MaximumRetryCount}}' runs)" on-failure:3 "the policy after another change"
    docker update --restart no runs
    refused "AutoRemove is enabled" docker update --restart always passing
    refused "invalid restart policy" docker update --restart sometimes runs
}
bad_input() {
    refused "Minimum memory limit allowed is 6MB" docker update --memory 1000 waits
    refused "Cannot update container [0-9a-f]{64}: Memory limit should be smaller than already set memoryswap limit" docker update --memory 1g waits
    refused "Conflicting options: CPU Period cannot be updated as NanoCPUs has already been set" docker update --cpu-period 10000 runs
    refused "CPU cfs quota can not be less than 1ms" docker update --cpu-quota 10 waits
    refused "Requested CPUs are not available - requested 99" docker update --cpuset-cpus 99 waits
    refused "No such container: nobody" docker update --memory 64m nobody
    equal "$(config waits Memory)" 33554432 "after what was refused"
    matches "$(curl -s --unix-socket "$SOCKET" -H 'Content-Type: application/json' -d '{"Frob":1}' http://localhost/containers/waits/update)" 'unknown field \\"Frob\\"'
    matches "$(curl -s --unix-socket "$SOCKET" -H 'Content-Type: application/json' -d '{"Devices":[{"PathOnHost":"/dev/zero"}]}' http://localhost/containers/waits/update)" 'settled when a container is created'
}
warnings() {
    matches "$(docker update --blkio-weight 100 waits 2>&1; docker inspect -f '{{.HostConfig.BlkioWeight}}' waits)" \
        "(Block I/O weight or the cgroup is not mounted. Weight discarded|100)"
}
quotas_of_policy() {
    mkdir -p "$WORK/alice"
    chown $ALICE "$WORK/alice"
    chmod 0755 "$WORK" "$ENGINE"
    chmod 0666 "$SOCKET"
    chmod 0644 "$WORK/busybox.tar"
    as_alice docker load -i "$WORK/busybox.tar"
    as_alice docker run -d --name hers --network none "$IMAGE" sleep 1000
    refused '5000 processes are not allowed; at most 4096 are \(rule "quotas" of policy.d/others.json\)' as_alice docker update --pids-limit 5000 hers
    as_alice docker update --pids-limit 50 hers
    as_alice docker stop -t 0 hers
    refused 'rule "quotas"' as_alice docker update --pids-limit 5000 hers
    equal "$(as_alice docker inspect -f '{{.HostConfig.PidsLimit}}' hers)" 50
    as_alice docker rm hers
}
told_as_event() {
    matches "$(docker events --since 0 --until "$(date +%s.%N)" --filter event=update --format '{{.Action}} {{.Actor.Attributes.name}}')" "update runs"
}
sdk() {
    python3 - "$DOCKER_HOST" <<'END'
import docker, sys
client = docker.DockerClient(base_url=sys.argv[1])
runs = client.containers.get("runs")
assert runs.update(cpu_shares=99) == {"Warnings": []}
runs.reload()
assert runs.attrs["HostConfig"]["CpuShares"] == 99
END
}

system_start
system_load
check "containers to update" prepare
check "one that runs, seen in its cgroup" running
check "one that does not, from its next start on" stopped
check "what was updated is there after a restart" stays_after_restart
check "restart policies" restart_policy
check "what makes no sense is refused, and changes nothing" bad_input
check "what the kernel lacks is said" warnings
check "policy's quotas hold" quotas_of_policy
check "an event tells of it" told_as_event
check "python's client" sdk
docker rm -f runs waits passing >/dev/null
check "nothing is left behind" nothing_left
