# SPDX-License-Identifier: Apache-2.0
#
# What system tests share: a private engine with everything below $WORK, an image made on the spot, and registries. A test
# file sources this instead of check.sh.

# Each in a network namespace of its own: bridges, rules and forwarding never touch the host's, and vanish with the test.
if [ "${BULKHEAD_TEST_NETNS:-}" != yes ]; then
    export BULKHEAD_TEST_NETNS=yes
    export BULKHEAD_TEST_HOST_NET=/proc/$PPID/ns/net
    exec unshare --net bash -c 'ip link set lo up && exec bash "$@"' bash "$0" "$@"
fi
source "$(dirname "${BASH_SOURCE[0]}")/check.sh"
source "$(dirname "${BASH_SOURCE[0]}")/engine.sh"
# on_the_host COMMAND... : in the network that the test was started in, for what has to come from Debian's servers
on_the_host() { nsenter --net="$BULKHEAD_TEST_HOST_NET" -- "$@"; }

ENGINE=$WORK/engine
CGROUP=bulkhead-test-$$
SOCKET=$ENGINE/bulkhead.sock
IMAGE=busybox
export DOCKER_HOST=unix://$SOCKET
export DOCKER_CONFIG=$WORK/docker
unset BULKHEAD_HOST DOCKER_API_VERSION DOCKER_CONTEXT DOCKER_TLS_VERIFY
mkdir -p "$DOCKER_CONFIG"
export PATH=$BIN:$PATH
bulkhead=$BIN/bulkhead

# The two clients that everything must work with. $client is what the check at hand uses.
CLIENTS="bulkhead docker"
client=bulkhead

# system_start [FLAG...] : starts the engine; system_restart does it again on the same state.
system_flags=()
system_start() {
    system_flags=("$@")
    at_end "engine_stop '$ENGINE' '$CGROUP' '$bulkhead'"
    system_restart || { cat "$ENGINE/engine.log"; echo "not ok - the engine starts"; exit 1; }
}
system_restart() { engine_start "$ENGINE" "$CGROUP" "$BIN" "$ROOT/deploy/config/policy.d" "${system_flags[@]}"; }

# system_load : the busybox image, as busybox:latest
system_load() {
    "$ROOT/deploy/make-busybox-image" "$WORK/busybox.tar" && bulkhead load -i "$WORK/busybox.tar" >/dev/null ||
        { echo "not ok - the busybox image can be loaded"; exit 1; }
}

# run_in [OPTION...] -- COMMAND... : a container without network, removed at its end
run_in() {
    local options=()
    while [ "$1" != -- ]; do
        options+=("$1")
        shift
    done
    shift
    $client run --rm --network none "${options[@]}" "$IMAGE" "$@"
}

# state_of NAME
state_of() { bulkhead inspect -f '{{.State.Status}}' "$1"; }
is_state() { [ "$(state_of "$1" 2>/dev/null)" = "$2" ]; }

# helper_pid ROLE : pid of a helper of this engine
helper_pid() {
    bulkhead privileges --format json | python3 -c '
import json, sys
print(next(row["pid"] for row in json.load(sys.stdin) if row["role"] == sys.argv[1]))' "$1"
}
# restarted ROLE PID : whether another process than PID serves in this role
restarted() { local now; now=$(helper_pid "$1" 2>/dev/null) && [ -n "$now" ] && [ "$now" != "$2" ]; }

# nothing_left : no container, no process, no mount, no folder of any
nothing_left() {
    equal "$(bulkhead ps -aq)" "" "containers"
    equal "$(awk -v home="$ENGINE/" 'index($2, home) == 1 { print $2 }' /proc/self/mounts)" "" "mounts"
    eventually no_container_processes
}
no_container_processes() {
    [ -z "$(engine_cgroups "$CGROUP" | sed 's|$|/cgroup.procs|' | xargs -r cat 2>/dev/null)" ]
}

# ---- registries ------------------------------------------------------------------------------------

# plain_registry : starts Debian's docker-registry; sets PLAIN=127.0.0.1:port
plain_registry() {
    local port
    port=$(free_port)
    PLAIN=127.0.0.1:$port
    start_registry plain "$port" ""
}

# tls_registry : the same with TLS and a password; sets SECURE=127.0.0.1:port, $WORK/ca.crt, user alice, password "s3cret pass:word"
PASSWORD='s3cret pass:word'
tls_registry() {
    local port
    port=$(free_port)
    SECURE=127.0.0.1:$port
    (
        cd "$WORK" || exit 1
        openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.crt -days 2 -subj "/CN=Test CA" -addext basicConstraints=critical,CA:TRUE
        openssl req -newkey rsa:2048 -nodes -keyout registry.key -out registry.csr -subj "/CN=127.0.0.1"
        printf 'subjectAltName=IP:127.0.0.1,DNS:localhost\n' >registry.ext
        openssl x509 -req -in registry.csr -CA ca.crt -CAkey ca.key -CAcreateserial -out registry.crt -days 2 -extfile registry.ext
        openssl req -x509 -newkey rsa:2048 -nodes -keyout other.key -out other-ca.crt -days 2 -subj "/CN=Other CA"
        htpasswd -Bbn alice "$PASSWORD" >htpasswd
    ) >/dev/null 2>&1
    start_registry secure "$port" "  tls: {certificate: $WORK/registry.crt, key: $WORK/registry.key}
auth:
  htpasswd: {realm: test, path: $WORK/htpasswd}"
}

# start_registry NAME PORT MORE
start_registry() {
    local folder=$WORK/registry-$1 scheme=http
    mkdir -p "$folder"
    cat >"$folder/config.yml" <<END
version: 0.1
log: {level: error}
storage: {filesystem: {rootdirectory: $folder/data}, delete: {enabled: true}}
http:
  addr: 127.0.0.1:$2
$3
END
    docker-registry serve "$folder/config.yml" >"$folder/log" 2>&1 </dev/null &
    at_end "kill $!"
    disown
    [ -z "$3" ] || scheme=https
    eventually curl -ks -o /dev/null "$scheme://127.0.0.1:$2/v2/"
}

# odd_registry FOLDER FLAG... : our own registry, which misbehaves on request; sets ODD=127.0.0.1:port
odd_registry() {
    local folder=$1 log=$WORK/odd.log
    shift
    : >"$log"
    # it ends when its standard input does: when this script, which holds the pipe open, is gone
    [ -p "$WORK/odd.pipe" ] || { mkfifo "$WORK/odd.pipe" && exec 8<>"$WORK/odd.pipe"; }
    python3 "$TESTS/lib/registry.py" --root "$folder" "$@" >"$log" 2>&1 <"$WORK/odd.pipe" 7>&- 8>&- &
    odd_pid=$!
    at_end "kill $odd_pid"
    disown
    eventually grep -q 'listening on' "$log"
    ODD=$(sed -n 's/listening on //p' "$log")
}
odd_faults() { curl -sf -X POST --data "$1" "http://$ODD/faults" >/dev/null; }

# image_folder ARCHIVE REPOSITORY TAG FOLDER [FLAG...] : lays an archive's image out as blobs and a manifest
image_folder() { python3 "$TESTS/lib/images.py" folder "$@"; }
# push_folder FOLDER REPOSITORY TAG URL [FLAG...]
push_folder() { python3 "$TESTS/lib/images.py" push "$@"; }
