#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The embedded DNS at 127.0.0.11: what containers are called in their networks and nowhere else, what is asked of resolvers, and what a
# hostile question gets.

# The engine is to see another resolv.conf than the host's: mounts of this test are its own.
[ "${NAMES_OWN_MOUNTS:-}" = yes ] || NAMES_OWN_MOUNTS=yes exec unshare --mount --propagation private bash "$0" "$@"
source "$(dirname "$0")/../lib/system.sh"
source "$(dirname "$0")/../lib/network.sh"

# lookup CONTAINER DIG'S-WORDS... : answers only
lookup() {
    local name=$1
    shift
    inside "$name" dig +short +time=2 +tries=1 @127.0.0.11 "$@"
}
# status CONTAINER WORDS... : NOERROR, NXDOMAIN, ...
status() {
    local name=$1
    shift
    inside "$name" dig +time=2 +tries=1 @127.0.0.11 "$@" | sed -n 's/.*status: \([A-Z]*\),.*/\1/p'
}

prepare() {
    bulkhead network create front >/dev/null
    bulkhead network create back >/dev/null
    bulkhead network create --internal closed >/dev/null
    bulkhead network create --ipv6 --subnet fd78::/64 six >/dev/null
    sleeper --name web --network front --network-alias www --network-alias app >/dev/null
    sleeper --name db --network front --network-alias app >/dev/null
    sleeper --name far --network back >/dev/null
    sleeper --name shut --network closed >/dev/null
    sleeper --name six1 --network six >/dev/null
    sleeper --name six2 --network six >/dev/null
    sleeper --name plain >/dev/null
}
names() {
    local web
    web=$(address_of web front)
    equal "$(lookup db web)" "$web"
    equal "$(lookup db WEB)" "$web" "in capitals"
    equal "$(lookup db www)" "$web" alias
    equal "$(lookup db web.front)" "$web" "with the network's name"
    equal "$(lookup db "$(bulkhead inspect -f '{{.Id}}' web | head -c 12)")" "$web" "by its short id"
    equal "$(lookup web web)" "$web" itself
    equal "$(lookup db +tcp web)" "$web" "over TCP"
    equal "$(lookup six1 six2 AAAA)" "$(address6_of six2 six)"
    matches "$(bulkhead exec db nslookup web 2>&1)" "Address.*$web"
    bulkhead exec db ping -c 1 -W 2 web
    equal "$(bulkhead exec db cat /etc/resolv.conf | grep nameserver)" "nameserver 127.0.0.11"
}
turns() {
    equal "$(lookup web app | sort | xargs)" "$( (address_of web front; address_of db front) | sort | xargs)"
    local i first=
    for i in 1 2 3 4; do first="$first $(lookup far -4 app >/dev/null; lookup web app | head -1)"; done
    equal "$(tr ' ' '\n' <<<"$first" | sort -u | grep -c .)" 2 "who comes first"
}
reverse() {
    equal "$(lookup db -x "$(address_of web front)")" "web.front."
    equal "$(lookup six1 -x "$(address6_of six2 six)")" "six2.six."
}
services() { equal "$(lookup db _80._tcp.web SRV)" "0 0 80 web."; }
types_that_are_not_there() {
    equal "$(status db web AAAA)" NOERROR
    equal "$(status db web MX)" NOERROR
    equal "$(lookup db web AAAA)" ""
}
nobody_elses() {
    equal "$(lookup far web)" ""
    equal "$(lookup far -x "$(address_of web front)")" ""
    equal "$(lookup plain web)" "" "the default network has no names"
    equal "$(lookup shut web)" ""
}
forwards() {
    equal "$(lookup db answer.test)" 198.51.100.7
    equal "$(lookup plain answer.test)" 198.51.100.7 "on the default network, too"
    equal "$(lookup db +tcp answer.test)" 198.51.100.7 "over TCP"
    equal "$(status db nothing.test)" NXDOMAIN
    equal "$(status shut answer.test)" NXDOMAIN "but not out of an internal network"
    matches "$(bulkhead exec db nslookup answer.test 2>&1)" 198.51.100.7
}
own_resolvers() {
    sleeper --name server --network front >/dev/null
    serve_names inside server -- --address "$(address_of server front)" --answer 203.0.113.9
    sleeper --name own --network front --dns "$(address_of server front)" >/dev/null
    equal "$(lookup own anything.test)" 203.0.113.9 "asked from inside the container's network"
    equal "$(lookup own web)" "$(address_of web front)" "names of containers come first"
    matches "$(bulkhead run --rm --dns 198.51.100.1 --dns-search sea.test --dns-option timeout:1 "$IMAGE" cat /etc/resolv.conf | xargs)" "nameserver 198.51.100.1.* timeout:1"
}
follows_changes() {
    bulkhead rename db store
    eventually is_called web store
    equal "$(lookup web db)" ""
    bulkhead network connect --alias late back store
    equal "$(lookup far late)" "$(address_of store back)"
    bulkhead network disconnect back store
    equal "$(lookup far late)" ""
    bulkhead rename store db
    bulkhead restart -t 0 db
    eventually is_called web db
}
is_called() { [ -n "$(lookup "$1" "$2")" ]; }
links() {
    sleeper --name linked --network front --link web:shop >/dev/null
    equal "$(lookup linked shop)" "$(address_of web front)"
    equal "$(lookup db shop)" ""
    sleeper --name old --link plain:legacy >/dev/null
    matches "$(bulkhead exec old cat /etc/hosts)" "$(address_of plain bridge)[[:space:]]+legacy"
}
own_server_on_port_53() {
    serve_names inside web -- --address 0.0.0.0 --answer 203.0.113.53
    equal "$(inside db dig +short +time=2 +tries=1 "@$(address_of web front)" x.test)" 203.0.113.53 "a container that serves DNS itself"
    equal "$(lookup web db)" "$(address_of db front)" "and still has the embedded one"
}
hostile() {
    inside db python3 - <<'END'
import os, random, socket, struct
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
random.seed(1)
good = struct.pack(">HHHHHH", 1, 0x100, 1, 0, 0, 0) + b"\3web\0" + struct.pack(">HH", 1, 1)
for i in range(3000):
    packet = bytearray(good if i % 3 else os.urandom(random.randrange(0, 600)))
    for _ in range(random.randrange(0, 4)):
        if packet:
            packet[random.randrange(len(packet))] = random.randrange(256)
    s.sendto(bytes(packet), ("127.0.0.11", 53))
for i in range(64):
    t = socket.create_connection(("127.0.0.11", 53))
    t.sendall(struct.pack(">H", 65535) + b"x" * 100)
    t.close()
END
    eventually is_called db web
    eventually is_called web db
}
a_flood_is_its_own() {
    inside db python3 - <<'END' &
import socket, struct, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
end = time.time() + 4
i = 0
while time.time() < end:
    i += 1
    name = b"x%d" % i
    s.sendto(struct.pack(">HHHHHH", i & 0xffff, 0x100, 1, 0, 0, 0) + bytes([len(name)]) + name + b"\4test\0" + struct.pack(">HH", 1, 1), ("127.0.0.11", 53))
END
    local flood=$! i
    for i in 1 2 3 4 5; do equal "$(lookup web db)" "$(address_of db front)" "while a neighbour floods" || return 1; done
    equal "$(lookup web answer.test)" 198.51.100.7 "and others are still asked"
    wait $flood
}
worker_dies() {
    local netd worker
    netd=$(helper_pid netd)
    worker=$(pgrep -P "$netd" -x dns)
    kill -9 $worker
    eventually is_called web db
    kill -9 "$netd"
    eventually is_called web db
}

# serve_names WHERE... -- FLAG... : a resolver for the test
serve_names() {
    local where=()
    while [ "$1" != -- ]; do
        where+=("$1")
        shift
    done
    shift
    local log
    log=$(mktemp "$WORK/names.XXXXXX")
    "${where[@]}" python3 "$TESTS/lib/resolver.py" "$@" >"$log" 2>&1 7>&- &
    disown
    eventually grep -q serving "$log"
}
at_end 'kill $(sed -n "s/^serving //p" "$WORK"/names.*)'

another_machine
serve_names -- --address 127.0.0.53 --answer 198.51.100.7 --only answer.test
printf 'nameserver 127.0.0.53\n' >"$WORK/resolv.conf"
mount --bind "$WORK/resolv.conf" /etc/resolv.conf
system_start
system_load
check "containers on networks" prepare
check "a name is an address: of itself, by alias, short id, with its network, over UDP and TCP" names
check "one name of several containers takes turns" turns
check "addresses have names" reverse
check "ports of a name, as SRV" services
check "a type of record that a container has not is nothing, not an error" types_that_are_not_there
check "names of other networks do not exist" nobody_elses
check "everything else is asked of the host's resolvers" forwards
check "a container's own resolvers are asked from inside" own_resolvers
check "names follow renames, connections and restarts" follows_changes
check "links" links
check "a container may serve DNS itself" own_server_on_port_53
check "hostile questions do no harm" hostile
check "a flood of questions slows nobody else down" a_flood_is_its_own
check "names come back when the worker or netd dies" worker_dies
