#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Bob, and root's tenant as well, try to see, name, join and disturb Alice's networks, and to reach what is on them; with what root of a
# container really has, which is CAP_NET_RAW and no other capability that is about networks.

# The engine is to see another resolv.conf than the host's: mounts of this test are its own.
[ "${NETWORKS_OWN_MOUNTS:-}" = yes ] || NETWORKS_OWN_MOUNTS=yes exec unshare --mount --propagation private bash "$0" "$@"
source "$(dirname "$0")/../lib/system.sh"
source "$(dirname "$0")/../lib/network.sh"
another_machine
source "$(dirname "$0")/lib/attack.sh" # whose outside() is another one
source "$(dirname "$0")/lib/tenants.sh"

beyond() { nsenter --target "$OUTSIDE" --net -- "$@"; } # on the other machine
FAR4=203.0.113.7 FAR6=2001:db8:7::7                     # further away: the host has no route to them but the default one
beyond ip address add $FAR4/32 dev lo
beyond ip address add $FAR6/128 dev lo
for kind in tcp udp; do
    serve beyond -- $kind 0.0.0.0 8000
    serve beyond -- $kind :: 8000
done
python3 "$TESTS/lib/resolver.py" --address 127.0.0.53 --answer 198.51.100.7 --only answer.test >"$WORK/serve.names" 2>&1 7>&- &
disown
eventually grep -q serving "$WORK/serve.names"
printf 'nameserver 127.0.0.53\n' >"$WORK/resolv.conf"
mount --bind "$WORK/resolv.conf" /etc/resolv.conf
attack_start
tenants_prepare
clean_up_images() { tenants_clean_up; }
install -m 0644 "$TESTS/lib/peer.py" "$ATTACK/packets.py" "$WORK/client/"

# ---- what each has -------------------------------------------------------------------------------------

# Containers are told by UID/NAME.
declare -A pids=()
pid_of() { # they are asked once: none is started again
    [ -n "${pids[$1]:-}" ] || pids[$1]=$(as "${1%/*}" bulkhead inspect -f '{{.State.Pid}}' "${1#*/}")
    echo "${pids[$1]}"
}
endpoint() { as "${1%/*}" bulkhead inspect -f "{{(index .NetworkSettings.Networks \"$2\").$3}}" "${1#*/}"; } # CONTAINER NETWORK FIELD
keeps() { as "$1" bulkhead run -d --init --label kept "${@:2}" busybox sleep 100000; }                     # UID OPTION...
# within CONTAINER COMMAND... : a program of the host's as root of that container, with the one capability about networks that it has
within() {
    nsenter --target "$(pid_of "$1")" --user --net -- setpriv --bounding-set=-all,+net_raw --inh-caps=-all,+net_raw --no-new-privs "${@:2}"
}
reaches() { within "$1" python3 "$WORK/client/peer.py" ask "${@:2}"; }     # CONTAINER KIND ADDRESS PORT [SECONDS]
lookup() { within "$1" dig +short +time=2 +tries=1 @127.0.0.11 "${@:2}"; } # CONTAINER DIG'S-WORDS...

as $ALICE bulkhead network create --ipv6 --subnet 172.29.0.0/20 --subnet fd29::/64 --label whose=alice front >/dev/null
as $ALICE bulkhead network create back >/dev/null
WEB=$ALICE/web DB=$ALICE/db EVIL=$BOB/evil
ID=$(keeps $ALICE --name web --network front --network-alias shopfront -p 18080:80 -p 127.0.0.1:18081:80)
keeps $ALICE --name db --network front >/dev/null
keeps $ALICE --name plain >/dev/null
as $BOB bulkhead network create --ipv6 yard >/dev/null
as $BOB bulkhead network create --internal closed >/dev/null
keeps $BOB --name evil --network yard >/dev/null
keeps $BOB --name own --network yard >/dev/null
keeps $BOB --name common >/dev/null
keeps $BOB --name shut --network closed >/dev/null
keeps 0 --name own >/dev/null
strangers=($EVIL $BOB/common 0/own)
for name in $WEB $DB $ALICE/plain "${strangers[@]}" $BOB/own $BOB/shut; do pid_of "$name" >/dev/null; done
FRONT=$(as $ALICE bulkhead network inspect -f '{{.Id}}' front)
WEB4=$(endpoint $WEB front IPAddress) WEB6=$(endpoint $WEB front GlobalIPv6Address) DB4=$(endpoint $DB front IPAddress)
DB6=$(endpoint $DB front GlobalIPv6Address) PLAIN4=$(endpoint $ALICE/plain bridge IPAddress) WEB_MAC=$(endpoint $WEB front MacAddress)
WEB_LOCAL=$(inside $WEB ip -6 address show dev eth0 scope link | sed -n 's|.*inet6 \([^/]*\)/.*|\1|p')
GATE4=$(endpoint $WEB front Gateway) GATE6=$(endpoint $WEB front IPv6Gateway)
for kind in tcp udp; do
    serve inside $WEB -- $kind 0.0.0.0 80
    serve inside $WEB -- $kind :: 80
    serve inside $ALICE/plain -- $kind 0.0.0.0 80
done
is_whole() { # Alice's, after each attack
    equal "$(as $ALICE bulkhead network ls --filter type=custom --format '{{.Name}}' | sort | xargs)" "back front"
    equal "$(as $ALICE bulkhead network inspect -f '{{.Id}} {{len .Containers}}' front)" "$FRONT 2"
    equal "$(endpoint $WEB front IPAddress) $(endpoint $WEB front GlobalIPv6Address)" "$WEB4 $WEB6"
    equal "$(reaches $DB tcp "$WEB4" 80) $(reaches $DB tcp "$WEB6" 80)" "$DB4 $DB6" "Alice's containers reach each other"
    equal "$(reaches $DB tcp $FAR4 8000) $(reaches $DB tcp $FAR6 8000)" "$HOST4 $HOST6" "and the world"
    equal "$(lookup $DB web)" "$WEB4"
}
survived() { tenants_survived && is_whole; }
attack "before anybody attacks" true

# ---- seeing --------------------------------------------------------------------------------------------

class "tenants' networks: seeing"
TRACES="front|shopfront|whose|web|${FRONT:0:12}|${ID:0:12}|${WEB4//./\\.}|$WEB6|${GATE4//./\\.}/|$WEB_MAC"
for list in "network ls" "network ls --no-trunc" "network ls --filter label=whose" "network ls --filter name=front" "network ls --filter id=$FRONT" "network ls --filter driver=bridge" "network ls --filter type=custom" \
    "network ls --filter dangling=false" "ps -a --filter network=front" "ps -a --filter network=$FRONT" "ps -a --filter publish=80" "events --since 1 --until 0s --filter type=network" "events --since 1 --until 0s --filter network=$FRONT"; do
    check "$list" no_trace $list
done
prunes_own() {
    local uid
    for uid in $BOB 0; do
        as $uid bulkhead network create unused
        as $uid bulkhead network prune -f --filter label=whose=alice && as $uid bulkhead network prune -f >"$WORK/pruned"
        ! grep -E "$TRACES|back" "$WORK/pruned" || return 1
        grep -q unused "$WORK/pruned"
    done
}
attack "prune removes Bob's own" prunes_own

# ---- naming and guessing -------------------------------------------------------------------------------

class "tenants' networks: by name and id"
while read -r method path body <&6; do
    check "$method $path $body by name" as_if_absent "$method" "$path" front fraud "$body"
    check "$method $path $body by id" as_if_absent "$method" "$path" "$FRONT" "$NOBODYS" "$body"
    check "$method $path $body by a short id" as_if_absent "$method" "$path" "${FRONT:0:12}" "${NOBODYS:0:12}" "$body"
done 6<<'END'
GET /networks/{}
DELETE /networks/{}
POST /networks/{}/connect {"Container":"own"}
POST /networks/{}/connect {"Container":"own","EndpointConfig":{"IPAMConfig":{"IPv4Address":"172.16.0.9"}}}
POST /networks/{}/disconnect {"Container":"own"}
POST /networks/{}/disconnect {"Container":"own","Force":true}
END
for name in web "$ID" "${ID:0:12}"; do
    absent=$NOBODYS
    [ "$name" != web ] || absent=bew
    check "connect Alice's container ${name:0:12} to one's own" as_if_absent POST /networks/bridge/connect "$name" "${absent:0:${#name}}" '{"Container":"<>"}'
    check "disconnect Alice's container ${name:0:12} from one's own" as_if_absent POST /networks/bridge/disconnect "$name" "${absent:0:${#name}}" '{"Container":"<>","Force":true}'
done
attack "and Alice's networks are as they were" true

class "tenants' networks: joining"
joins_nothing() { # OPTION... : what Alice can do, nobody else can
    local uid
    as $ALICE bulkhead run --rm "$@" busybox true
    for uid in $BOB 0; do
        refused '[Nn]o such|not found|[Cc]ould not' as_program $uid run --rm "$@" busybox true
        ! grep -E "$WEB4|$WEB6|$WEB_MAC" "$WORK/err" || return 1
    done
}
for name in front "$FRONT" "${FRONT:0:12}"; do
    check "--network ${name:0:12}" joins_nothing --network "$name"
    check "--network ${name:0:12}, with an address" joins_nothing --network "name=$name,ip=${WEB4%.*}.99"
    check "--network bridge and ${name:0:12}" joins_nothing --network bridge --network "$name"
done
for name in web "$ID" "${ID:0:12}"; do
    check "--network container:${name:0:12}" joins_nothing --network "container:$name"
done
check "--link plain" joins_nothing --link plain:shop
networking_config() { # MODE NAME ID : an endpoint as the API has it, which may be refused when it is made or when it is started
    local uid text
    for uid in $BOB 0; do
        text=$(ask $uid POST "/containers/create?name=intruder" -H 'Content-Type: application/json' -d "{\"Image\":\"busybox\",\"Cmd\":[\"true\"],\"HostConfig\":{\"NetworkMode\":\"$1\"},\"NetworkingConfig\":{\"EndpointsConfig\":{\"$2\":{\"NetworkID\":\"$3\"}}}}")
        [ "${text##*$'\n'}" != 201 ] || text=$(ask $uid POST /containers/intruder/start)
        matches "$text" $'(not found|[Nn]o such).*\n[45][0-9][0-9]$'
        as $uid bulkhead rm -f intruder
    done
}
check "an endpoint by name, with its id" networking_config front front "$FRONT"
check "an endpoint by id" networking_config "$FRONT" "$FRONT" "$FRONT"
check "an endpoint beside one's own" networking_config bridge "$FRONT" "$FRONT"
own_name_foreign_id() { # the id in an answer is not one in a question
    local uid
    for uid in $BOB 0; do
        ask $uid POST "/containers/create?name=intruder" -H 'Content-Type: application/json' -d "{\"Image\":\"busybox\",\"Cmd\":[\"sleep\",\"1000\"],\"NetworkingConfig\":{\"EndpointsConfig\":{\"bridge\":{\"NetworkID\":\"$FRONT\",\"EndpointID\":\"$FRONT\",\"IPAddress\":\"$WEB4\",\"Gateway\":\"$GATE4\"}}}}"
        ask $uid POST /containers/intruder/start
        equal "$(endpoint $uid/intruder bridge NetworkID)" "$(as $uid bulkhead network inspect -f '{{.Id}}' bridge)"
        ! as $uid bulkhead inspect intruder | grep -E "$FRONT|$WEB4|\"$GATE4\"" || return 1
        as $uid bulkhead rm -f intruder
    done
}
check "one's own network with Alice's id" own_name_foreign_id
attack "and nobody is on Alice's networks" true
same_names() {
    local uid
    for uid in $BOB 0; do
        as $uid bulkhead network create front
        as $uid bulkhead run --rm --network front --network-alias shopfront --name web busybox true
        as $uid bulkhead network rm front
    done
}
attack "networks, containers and aliases of the same names are each one's own" same_names

# ---- reaching ------------------------------------------------------------------------------------------

class "tenants' networks: reaching"
nobody_reaches() { # KIND ADDRESS PORT [HOW-ALICE-DOES]
    local stranger
    reaches "${4:-$DB}" "$1" "$2" "$3"
    for stranger in "${strangers[@]}" $BOB/shut; do
        reaches "$stranger" "$1" "$2" "$3" 0.5 >"$WORK/reached.${stranger//\//-}" &
    done
    wait
    equal "$(cat "$WORK"/reached.*)" "" "answers"
}
for kind in tcp udp; do
    check "a container, over $kind" nobody_reaches $kind "$WEB4" 80
    check "a container, over $kind and IPv6" nobody_reaches $kind "$WEB6" 80
    check "a container by its link-local address, over $kind" nobody_reaches $kind "$WEB_LOCAL%eth0" 80
    check "a container on the default network, over $kind" nobody_reaches $kind "$PLAIN4" 80 $ALICE/plain
done
pings() { as "${1%/*}" bulkhead exec "${1#*/}" ping -c 1 -W 1 "$2"; } # CONTAINER ADDRESS
nobody_pings() {
    local stranger
    pings $DB "$1"
    for stranger in "${strangers[@]}" $BOB/shut; do
        pings "$stranger" "$1" | grep 'bytes from' >"$WORK/reached.${stranger//\//-}" &
    done
    wait
    equal "$(cat "$WORK"/reached.*)" "" "answers"
}
check "a container, by ping" nobody_pings "$WEB4"
check "a container, by ping and IPv6" nobody_pings "$WEB6"
published_as_for_all() { # what Alice publishes for everybody is there for everybody, under his own address; and for nobody on an internal network
    local stranger
    equal "$(reaches $EVIL tcp $HOST4 18080)" "$(endpoint $EVIL yard IPAddress)"
    equal "$(ask_from beyond -- tcp $HOST4 18080)" $OUTSIDE4
    ! reaches $BOB/shut tcp $HOST4 18080 0.5 || return 1
    ask_from -- tcp 127.0.0.1 18081 # for the host alone
    for stranger in "${strangers[@]}" $BOB/shut; do
        ! reaches "$stranger" tcp $HOST4 18081 0.5 || return 1
        ! reaches "$stranger" tcp "$(gateway_of "$stranger")" 18081 0.5 || return 1
    done
}
gateway_of() { within "$1" ip route | awk '$1 == "default" { print $3 } $1 != "default" { sub("[0-9]*/.*", "1", $1); net = $1 } END { if (!NR) print net }' | head -1; }
check "a published port, as far as everybody does" published_as_for_all
hosts_rules_hold() { # the host's own policy for what comes from bridges is asked for published ports as well
    nft "add table ip guard; add chain ip guard input { type filter hook input priority 0; }; add rule ip guard input iifname \"$(bridge_of $BOB yard)\" drop"
    ! reaches $EVIL tcp $HOST4 18080 0.5 || return 1
    equal "$(ask_from beyond -- tcp $HOST4 18080)" $OUTSIDE4
    nft delete table ip guard
    reaches $EVIL tcp $HOST4 18080
}
bridge_of() { echo "bh-$(as "$1" bulkhead network inspect -f '{{.Id}}' "$2" | head -c 12)"; } # UID NETWORK
check "and no further than the host's rules let him" hosts_rules_hold
hosts_services() { # of 127.0.0.1 are out of reach by any of the host's addresses, and all of them for an internal network
    local stranger address
    serve -- tcp 127.0.0.1 7777
    serve -- tcp 0.0.0.0 7778
    ask_from -- tcp 127.0.0.1 7777
    for stranger in "${strangers[@]}" $BOB/shut; do
        for address in 127.0.0.1 "$GATE4" $HOST4; do ! reaches "$stranger" tcp "$address" 7777 0.3 || return 1; done
    done
    reaches $EVIL tcp $HOST4 7778
    for address in "$GATE4" $HOST4 "$(as $BOB bulkhead network inspect -f '{{(index .IPAM.Config 0).Gateway}}' closed)"; do
        ! reaches $BOB/shut tcp "$address" 7778 0.3 || return 1
    done
}
check "services of the host's loopback" hosts_services
loops_nothing() { # the link by which published ports come back into the host takes nothing from a container
    local before
    before=$(cat /proc/net/dev | awk '$1 == "bhi0:" { print $11 }')
    ! reaches $EVIL udp 169.254.254.2 18080 0.3 || return 1
    ! reaches $EVIL tcp 169.254.254.2 18080 0.3 || return 1
    equal "$(awk '$1 == "bhi0:" { print $11 }' /proc/net/dev)" "$before" "packets on the ingress link"
}
check "the ingress link" loops_nothing
taken_port() {
    local uid address
    for uid in $BOB 0; do
        for address in "" 127.0.0.1: "$HOST4:"; do
            refused 'port is already allocated' as_program $uid run --rm -p "${address}18080:80" busybox true
            ! grep -E "$TRACES|alice|$ALICE" "$WORK/err" || return 1
        done
    done
    as $BOB bulkhead run --rm -p 18082:80 busybox true
}
check "a port that is taken is so without a word of whose it is" taken_port
steals_no_port() { # as a user of the host
    setpriv --reuid $BOB --regid $BOB --clear-groups /usr/bin/python3 - 18080 <<'END'
import socket, sys
def bind(address, port):
    thief = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    thief.bind((address, port))
bind("127.0.0.1", 18083)
for address in "0.0.0.0", "127.0.0.1", "192.0.2.1":
    try:
        bind(address, int(sys.argv[1]))
        sys.exit(f"Bob has {address}")
    except OSError as failure:
        print(failure)
END
}
check "nor does a program of Bob's on the host get it" steals_no_port
attack "and Alice is undisturbed" true

# ---- names ---------------------------------------------------------------------------------------------

class "tenants' networks: names"
answers_own() { # DIG'S-WORDS... : Alice has an answer, and a stranger the one about a name that is not there
    local stranger
    [ -n "$(lookup $DB "$@")" ] || { echo "Alice has none"; return 1; }
    for stranger in "${strangers[@]}" $BOB/shut; do
        equal "$(lookup "$stranger" "$@")" "" "$stranger"
        matches "$(within "$stranger" dig +time=2 +tries=1 @127.0.0.11 "$@")" 'status: NXDOMAIN'
    done
}
for name in web WEB shopfront web.front "${ID:0:12}" web.front.; do
    check "the name $name" answers_own "$name"
done
check "the name web, as AAAA" answers_own web AAAA
check "the name web, over TCP" answers_own +tcp web
check "a service of web" answers_own _80._tcp.web SRV
check "the name of her address" answers_own -x "$WEB4"
check "the name of her IPv6 address" answers_own -x "$WEB6"
check "the name of her other container's address" answers_own -x "$DB4"
asks_no_other() { # whoever answers at 127.0.0.11 in Alice's containers answers nobody outside of them
    local address
    equal "$(lookup $EVIL own)" "$(endpoint $BOB/own yard IPAddress)"
    for address in "$WEB4" "$DB4" "$GATE4" "$WEB6"; do
        equal "$(within $EVIL dig +short +time=1 +tries=1 "@$address" web | grep -v '^;')" ""
    done
}
check "her resolver, from outside of her containers" asks_no_other
attack "and hers are answered" true

# ---- forging -------------------------------------------------------------------------------------------

class "tenants' networks: forging"
gate_mac() { # CONTAINER GATEWAY
    within "$1" python3 "$WORK/client/peer.py" ask udp "$2" 9 0.1 >/dev/null 2>&1 || true
    within "$1" ip neigh show "$2" | sed -n 's/.*lladdr \([0-9a-f:]*\).*/\1/p'
}
words_of() { # CONTAINER NETWORK : what packets.py wants to be told
    echo "own4=$(endpoint "$1" "$2" IPAddress) own6=$(endpoint "$1" "$2" GlobalIPv6Address) gate_mac=$(gate_mac "$1" "$(endpoint "$1" "$2" Gateway)")" \
        "victim4=$WEB4 victim6=$WEB6 victim_mac=$WEB_MAC victim_gate4=$GATE4 victim_gate6=$GATE6 neighbour4=$DB4 neighbour6=$DB6" \
        "host4=$HOST4 host6=$HOST6 outside4=$OUTSIDE4 outside6=$OUTSIDE6 port=40000"
}
# heard_from CONTAINER NETWORK : labels of that container's packets that arrive at Alice's, one a line
heard_from() {
    local ear
    python3 "$WORK/client/peer.py" ask tcp "$WEB4" 80 >/dev/null && python3 "$WORK/client/peer.py" ask tcp "$WEB6" 80 >/dev/null # the host knows its neighbours
    inside $WEB python3 "$WORK/client/packets.py" hear eth0 >"$WORK/heard" &
    ear=$!
    eventually grep -q hearing "$WORK/heard"
    # what errors are about
    inside $WEB python3 "$WORK/client/peer.py" ask udp $OUTSIDE4 8000 2 0.0.0.0 40000 >/dev/null
    inside $WEB python3 "$WORK/client/peer.py" ask udp $OUTSIDE6 8000 2 :: 40000 >/dev/null
    within "$1" python3 "$WORK/client/packets.py" send eth0 $(words_of "$1" "$2")
    within $DB python3 "$WORK/client/packets.py" end eth0 "own4=$DB4" "victim4=$WEB4" "victim_mac=$WEB_MAC"
    wait $ear
    sed '/^hearing$/d; /^end$/d' "$WORK/heard"
}
# The control: with the rules about forwarding, sources and frames gone, and nobody who puts them back.
without_rules() {
    local netd family
    netd=$(helper_pid netd)
    kill -STOP "$netd"
    for family in ip ip6; do
        nft flush chain $family "$TABLE" sources
        nft flush chain $family "$TABLE" forward
    done
    nft delete table bridge "$TABLE"
    { heard_from $EVIL yard; heard_from $DB front; } | sort -u
    kill -CONT "$netd"
    eventually rules_are_back
    inside $WEB ip neigh flush dev eth0 && inside $DB ip neigh flush dev eth0 # what they believed of it
}
rules_are_back() { nft list chain ip "$TABLE" forward | grep -q jump && nft list table bridge "$TABLE" >/dev/null; }
TABLE=$(nft list tables | sed -n 's/^table bridge //p')
heard_from $EVIL yard >"$WORK/with-rules"
heard_from $BOB/own yard >>"$WORK/with-rules" 2>&1
without_rules >"$WORK/without-rules"
arrives_not() { # LABEL
    grep -qx "$1" "$WORK/without-rules" || { echo "it would not arrive without the rules either"; return 1; }
    ! grep -x "$1" "$WORK/with-rules"
}
for label in $(python3 "$WORK/client/packets.py" list); do
    check "$label" arrives_not "$label"
done
knows_no_forgery() { # neither the host nor Alice's take Bob's MAC for an address of hers
    local mac
    mac=$(endpoint $EVIL yard MacAddress)
    ! ip neigh show | grep "$mac" | grep -E "${WEB4//./\\.}|${DB4//./\\.}|${GATE4//./\\.} |$WEB6|$DB6|$GATE6 " || return 1
    ! inside $WEB ip neigh show | grep "$mac" || return 1
    ! inside $DB ip neigh show | grep "$mac" || return 1
    reaches $DB tcp "$WEB4" 80
    inside $WEB ip neigh show | grep -q "$(endpoint $DB front MacAddress)"
}
check "nobody's neighbours have changed" knows_no_forgery
attack "and Alice's conversations go on" true

# ---- subnets -------------------------------------------------------------------------------------------

class "tenants' networks: subnets"
SUBNET=$(as $ALICE bulkhead network inspect -f '{{(index .IPAM.Config 0).Subnet}}' front)
same_subnet() { # of the pools, it is had by who comes first
    local uid
    for uid in $BOB 0; do
        refused 'overlaps' as_program $uid network create --subnet "$SUBNET" mirror
        ! grep -E "$TRACES|alice|$ALICE" "$WORK/err" || return 1
        refused 'overlaps' as_program $uid network create --subnet "${WEB4}/32" mirror
        equal "$(as $uid bulkhead network ls -q --filter name=mirror)" ""
    done
    equal "$(as $BOB bulkhead network inspect -f '{{(index .IPAM.Config 0).Subnet}}' yard closed bridge | sort -u | grep -cv "^$SUBNET\$")" 3
}
check "one that Alice has" same_subnet
# Addresses that are somebody's further away are not for a tenant to take: the host and everybody else would be led to his containers.
catches_nothing() { # OPTION... : root's tenant may
    bulkhead network create "$@" lawful && bulkhead network rm lawful
    refused 'rule "subnets"' as_program $BOB network create "$@" catcher
    equal "$(as $BOB bulkhead network ls -q --filter name=catcher)" ""
    equal "$(ask_from -- tcp $FAR4 8000) $(reaches $DB tcp $FAR4 8000)" "$HOST4 $HOST4"
}
check "of a machine further away" catches_nothing --subnet 203.0.113.0/24
check "a few addresses around it" catches_nothing --subnet 203.0.113.4/30
check "of a machine further away, over IPv6" catches_nothing --ipv6 --subnet 2001:db8:7::/64
check "private addresses that are no pool's" catches_nothing --subnet 192.168.7.0/24
check "a quarter of all there is" catches_nothing --subnet 0.0.0.0/2
check "all of a pool" catches_nothing --subnet 10.128.0.0/9
check "more of the addresses that are local to a site than a network has" catches_nothing --ipv6 --subnet fd55::/48
check "where clouds have their metadata" refused 'rule "subnets"' as_program $BOB network create --subnet 169.254.169.0/24 catcher
of_the_pools() {
    as $BOB bulkhead network create --subnet 172.30.16.0/20 --subnet fd12:3456::/64 --ipv6 fine
    as $BOB bulkhead run --rm --network fine --ip 172.30.16.9 busybox true
    as $BOB bulkhead network rm fine
}
check "one of the pools is for everybody to choose" of_the_pools
attack "and Alice's is hers" true
