# SPDX-License-Identifier: Apache-2.0
#
# Starting and stopping a private engine whose every trace lies below one folder and one cgroup name. Sourced by
# deploy/quickstart and by the system tests.

# engine_pid HOME : prints the supervisor's pid if it is the one that was started there.
engine_pid() {
    local pid
    pid=$(cat "$1/engine.pid" 2>/dev/null) || return 1
    case $(readlink "/proc/$pid/exe" 2>/dev/null) in
        */bulkheadd | */bulkheadd' (deleted)') echo "$pid" ;;
        *) return 1 ;;
    esac
}

engine_is_running() { engine_pid "$1" >/dev/null; }

# engine_start HOME CGROUP BIN POLICY [FLAG...] : returns once the engine answers; its log is HOME/engine.log.
engine_start() {
    local home=$1 cgroup=$2 bin=$3 policy=$4 started=$SECONDS
    shift 4
    mkdir -p "$home/policy.d" "$home/certs.d"
    # what the engine trusts must belong to root, whoever owns the checkout
    [ ! -d "$policy" ] || cp --no-preserve=mode,ownership "$policy"/* "$home/policy.d/" 2>/dev/null || true
    : >"$home/bulkhead.conf"
    chmod 0644 "$home/bulkhead.conf"
    # 9>&-: the engine outlives this script and must not hold its lock
    rm -f "$home/engine.pid"
    setsid bash -c 'echo $$ >"$0" && exec "$@"' "$home/engine.pid" \
        "$bin/bulkheadd" --config "$home/bulkhead.conf" --state "$home/state" --socket "$home/bulkhead.sock" \
        --libexec "$bin" --policy "$home/policy.d" --certs "$home/certs.d" --cgroup_parent "$cgroup" "$@" \
        >>"$home/engine.log" 2>&1 </dev/null 9>&- &
    disown
    until timeout 2 "$bin/bulkhead" -H "unix://$home/bulkhead.sock" version >/dev/null 2>&1; do
        engine_is_running "$home" || [ $((SECONDS - started)) -lt 2 ] ||
            { echo "the engine did not start: see $home/engine.log" >&2; return 1; }
        [ $((SECONDS - started)) -lt 20 ] || { echo "the engine did not answer within 20 s: see $home/engine.log" >&2; return 1; }
        sleep 0.05
    done
}

# engine_halt HOME : ends the supervisor and its helpers; containers go on.
engine_halt() {
    local pid tries=0
    pid=$(engine_pid "$1") || return 0
    kill -TERM "$pid"
    while engine_is_running "$1"; do
        tries=$((tries + 1))
        [ $tries -lt 200 ] || { kill -KILL "$pid"; return 0; }
        sleep 0.05
    done
}

# engine_cgroups NAME : prints every cgroup folder of that name, in every hierarchy, innermost first.
engine_cgroups() {
    find /sys/fs/cgroup -maxdepth 3 -type d -name "$1" 2>/dev/null | while read -r folder; do
        find "$folder" -depth -type d
    done
}

# engine_stop HOME CGROUP BULKHEAD : ends the engine and its containers, and undoes mounts and cgroups. The folder stays.
engine_stop() {
    local home=$1 cgroup=$2 bulkhead=$3 ids folder mount tries
    if engine_is_running "$home"; then
        ids=$(timeout 10 "$bulkhead" -H "unix://$home/bulkhead.sock" ps -aq --no-trunc 2>/dev/null) || ids=
        [ -z "$ids" ] || timeout 60 "$bulkhead" -H "unix://$home/bulkhead.sock" rm -f $ids >/dev/null 2>&1 || true
        engine_halt "$home"
    fi
    # what an engine that died has left
    for tries in 1 2 3 4 5 6 7 8 9 10; do
        [ -n "$(engine_cgroups "$cgroup" | sed 's|$|/cgroup.procs|' | xargs -r cat 2>/dev/null)" ] || break
        engine_cgroups "$cgroup" | sed 's|$|/cgroup.procs|' | xargs -r cat 2>/dev/null | xargs -r kill -KILL 2>/dev/null || true
        sleep 0.1
    done
    engine_cgroups "$cgroup" | while read -r folder; do rmdir "$folder" 2>/dev/null || true; done
    awk -v home="$home/" 'index($2, home) == 1 { print $2 }' /proc/self/mounts | sort -r | while read -r mount; do
        umount "$mount" || umount -l "$mount" || true
    done
}
