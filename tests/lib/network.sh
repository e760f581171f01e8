# SPDX-License-Identifier: Apache-2.0
#
# What tests with real traffic share. The test's own network namespace is "the host"; beside it lies another machine, which is a
# namespace held by a process, so that nothing is left of it when that ends. Sourced after system.sh.

OUTSIDE4=192.0.2.2 HOST4=192.0.2.1
OUTSIDE6=2001:db8::2 HOST6=2001:db8::1

# another_machine : sets OUTSIDE to the pid that holds it; it is the host's default gateway.
another_machine() {
    unshare --net sleep 1000000 7>&- &
    OUTSIDE=$!
    at_end "kill $OUTSIDE"
    disown
    eventually other_namespace "$OUTSIDE"
    ip link add uplink type veth peer name uplink netns "$OUTSIDE"
    ip address add "$HOST4/24" dev uplink
    ip address add "$HOST6/64" dev uplink nodad
    ip link set uplink up
    outside ip link set lo up
    outside ip address add "$OUTSIDE4/24" dev uplink
    outside ip address add "$OUTSIDE6/64" dev uplink nodad
    outside ip link set uplink up
    ip route add default via "$OUTSIDE4"
    ip -6 route add default via "$OUTSIDE6"
}
other_namespace() { [ "$(readlink "/proc/$1/ns/net")" != "$(readlink /proc/self/ns/net)" ]; }
outside() { nsenter --target "$OUTSIDE" --net -- "$@"; }

pid_of() { bulkhead inspect -f '{{.State.Pid}}' "$1"; }
# inside CONTAINER COMMAND... : a program of the host's, in the container's network only
inside() {
    local name=$1
    shift
    nsenter --target "$(pid_of "$name")" --net -- "$@"
}
# Servers are known by what they print: most are started in a check's own shell, which cannot tell anybody else of them.
at_end 'kill $(sed -n "s/^serving //p" "$WORK"/serve.*)'
# serve WHERE... -- KIND ADDRESS PORT : starts a server there (WHERE: "outside", "inside NAME", or nothing for the host)
serve() {
    local where=() log
    while [ "$1" != -- ]; do
        where+=("$1")
        shift
    done
    shift
    log=$(mktemp "$WORK/serve.XXXXXX")
    "${where[@]}" python3 "$TESTS/lib/peer.py" serve "$@" >"$log" 2>&1 7>&- &
    disown
    eventually grep -q serving "$log"
}
# ask KIND ADDRESS PORT [SECONDS] : what a server answers: the address it sees
ask() { python3 "$TESTS/lib/peer.py" ask "$@"; }
ask_from() { # WHERE... -- ask's own
    local where=()
    while [ "$1" != -- ]; do
        where+=("$1")
        shift
    done
    shift
    "${where[@]}" python3 "$TESTS/lib/peer.py" ask "$@"
}
# address_of CONTAINER NETWORK
address_of() { bulkhead inspect -f "{{(index .NetworkSettings.Networks \"$2\").IPAddress}}" "$1"; }
address6_of() { bulkhead inspect -f "{{(index .NetworkSettings.Networks \"$2\").GlobalIPv6Address}}" "$1"; }
sleeper() { bulkhead run -d --init "$@" "$IMAGE" sleep 100000; }
