#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Networks of two tenants: Bob, and root's tenant as well, neither see Alice's nor reach what is in them, and cannot pass for it. Each
# attempt is one that Alice makes with success.
source "$(dirname "$0")/../lib/system.sh"
source "$(dirname "$0")/lib/attack.sh"
source "$(dirname "$0")/lib/tenants.sh"
source "$(dirname "$0")/../lib/network.sh"

another_machine
attack_start
tenants_prepare
survived() { tenants_survived && is_whole; }
clean_up_images() { tenants_clean_up; }

# at UID NAME COMMAND... : in that container's network only, with more rights there than anything in it has
at() {
    local uid=$1 pid
    pid=$(as "$uid" bulkhead inspect -f '{{.State.Pid}}' "$2")
    shift 2
    nsenter --target "$pid" --net -- "$@"
}
sleeps() { # UID NAME NETWORK OPTION...
    local uid=$1 name=$2 network=$3
    shift 3
    as "$uid" bulkhead run -d --init --name "$name" --label kept --network "$network" "$@" busybox sleep 100000 >/dev/null
}
said_of() { as "$1" bulkhead inspect -f "{{(index .NetworkSettings.Networks \"$3\").$4}}" "$2"; } # UID NAME NETWORK FIELD

# ---- what each has --------------------------------------------------------------------------------------

as $ALICE bulkhead network create --ipv6 --subnet 10.155.0.0/24 --subnet fd55::/64 --label whose=alice hers >/dev/null
as $ALICE bulkhead network create idle >/dev/null
sleeps $ALICE mine hers --network-alias store -p 8090:80
sleeps $ALICE mate hers
as $BOB bulkhead network create --ipv6 --subnet 10.166.0.0/24 --subnet fd66::/64 his >/dev/null
sleeps $BOB bobs his
sleeps $BOB bobs-other bridge
sleeps 0 roots bridge
ID=$(as $ALICE bulkhead network inspect -f '{{.Id}}' hers)
CONTAINER=$(as $ALICE bulkhead inspect -f '{{.Id}}' mine)
MINE=$(said_of $ALICE mine hers IPAddress)
MINE6=$(said_of $ALICE mine hers GlobalIPv6Address)
MATE=$(said_of $ALICE mate hers IPAddress)
BOBS=$(said_of $BOB bobs his IPAddress)
BOBS_GATEWAY=$(said_of $BOB bobs his Gateway)
for kind in tcp udp; do
    serve at $ALICE mine -- $kind 0.0.0.0 80
    serve at $ALICE mine -- $kind :: 81
done
is_whole() { # Alice's, after each attack
    equal "$(ask_from at $ALICE mate -- tcp "$MINE" 80)" "$MATE" "her own container is answered"
    equal "$(as $ALICE bulkhead network ls -q --filter type=custom | wc -l)" 2
    equal "$(as $ALICE bulkhead network inspect -f '{{len .Containers}}' hers)" 2
}

# ---- seeing ----------------------------------------------------------------------------------------------

TRACES="hers|idle|alice|mine|mate|store|10\\.155\\.|fd55:|${ID:0:12}|${CONTAINER:0:12}"
class "tenants: networks seen"
check "Alice sees hers" as $ALICE bulkhead network inspect hers idle
for list in "network ls" "network ls --no-trunc" "network ls --filter name=hers" "network ls --filter id=$ID" "network ls --filter label=whose=alice" "network ls --filter type=custom" \
    "network ls --filter dangling=true" "ps -a --filter network=hers" "ps -a --filter network=$ID" "ps -a --filter publish=8090" "system df -v" "events --since 1 --until 0s"; do
    check "$list" no_trace $list
done
events_are_own() {
    as $BOB timeout 10 "$bulkhead" events >"$WORK/events" &
    local follower=$!
    eventually follows_events
    as $ALICE bulkhead network create passing
    as $ALICE bulkhead network connect passing mine
    as $ALICE bulkhead network disconnect passing mine
    as $ALICE bulkhead network rm passing
    as $BOB bulkhead network create last
    as $BOB bulkhead network rm last
    eventually grep -q 'network destroy .*last' "$WORK/events"
    kill $follower
    ! grep -vE 'network (create|destroy) .*(first|last)' "$WORK/events"
}
follows_events() { # what he does himself is told, and so he is listening
    as $BOB bulkhead network create first
    as $BOB bulkhead network rm first
    grep -q first "$WORK/events"
}
attack "events while Alice works" events_are_own

# ---- naming ----------------------------------------------------------------------------------------------

class "tenants: networks by name and id"
while read -r method path body <&6; do
    check "$method $path by name, $body" as_if_absent "$method" "$path" hers ours "$body"
    check "$method $path by id, $body" as_if_absent "$method" "$path" "$ID" "$NOBODYS" "$body"
    check "$method $path by a short id, $body" as_if_absent "$method" "$path" "${ID:0:12}" "${NOBODYS:0:12}" "$body"
done 6<<'END'
GET /networks/{}
DELETE /networks/{}
POST /networks/{}/connect {"Container": "bobs"}
POST /networks/{}/connect {"Container": "roots"}
POST /networks/{}/disconnect {"Container": "bobs"}
POST /networks/{}/disconnect {"Container": "roots", "Force": true}
END
while read -r name absent <&6; do
    check "her container into his network: ${name:0:12}" as_if_absent POST /networks/bridge/connect "$name" "$absent" '{"Container": "<>"}'
    check "her container out of his network: ${name:0:12}" as_if_absent POST /networks/bridge/disconnect "$name" "$absent" '{"Container": "<>"}'
done 6<<END
mine ours
$CONTAINER $NOBODYS
${CONTAINER:0:12} ${NOBODYS:0:12}
END
runs_nowhere() { # OPTION... : refused as one that is not there
    local uid
    for uid in $BOB 0; do
        whole status as "$uid" timeout 30 bulkhead run --rm "$@" busybox true 2>"$WORK/err"
        [ "$status" != 0 ]
        matches "$(cat "$WORK/err")" '[Nn]o such|not found|could not find|Could not get'
    done
}
for name in hers "$ID" "${ID:0:12}"; do attack "--network ${name:0:12}" runs_nowhere --network "$name"; done
for name in mine "$CONTAINER" "${CONTAINER:0:12}"; do
    attack "--network container:${name:0:12}" runs_nowhere --network "container:$name"
    attack "--link ${name:0:12}" runs_nowhere --link "$name:x"
done
own_of_the_same_name() {
    as $BOB bulkhead network create hers
    equal "$(as $BOB bulkhead network inspect -f '{{len .Containers}}' hers)" 0
    as $BOB bulkhead network rm hers
}
attack "a network of the same name is Bob's own" own_of_the_same_name
prunes_own() {
    local uid
    for uid in $BOB 0; do
        as $uid bulkhead network prune -f
        as $uid bulkhead system prune -f
    done
}
attack "prune removes Bob's own" prunes_own
taken_without_a_name() { # PATTERN COMMAND... : refused, and not a word of whose it is
    local pattern=$1
    shift
    whole status as $BOB "$@" >"$WORK/seen" 2>&1
    [ "$status" != 0 ]
    matches "$(cat "$WORK/seen")" "$pattern"
    ! grep -E "hers|alice|mine|$ALICE|${ID:0:12}|${CONTAINER:0:12}" "$WORK/seen" || return 1
}
attack "her subnet" taken_without_a_name '[Oo]verlap|in use' bulkhead network create --subnet 10.155.0.0/25 over
attack "her IPv6 subnet" taken_without_a_name '[Oo]verlap|in use' bulkhead network create --ipv6 --subnet fd55::/80 over
attack "her port" taken_without_a_name '8090.*(already|in use|taken)' bulkhead run --rm -p 8090:80 busybox true

# ---- addresses --------------------------------------------------------------------------------------------

# The host leads everybody on it into a network, whoever else has its addresses.
catches_nothing() { # SUBNET OPTION... : of the network
    local status subnet=$1
    shift
    whole status as $BOB bulkhead network create --subnet "$subnet" "$@" catcher >"$WORK/seen" 2>&1
    equal "$status" 1
    matches "$(cat "$WORK/seen")" 'Pool overlaps|is not allowed; one of .* is \(rule "subnets" of' # with one of Alice's
    equal "$(as $BOB bulkhead network ls -q --filter name=catcher)" ""
    equal "$(ip route show table all | grep -F "$subnet")" ""
}
class "tenants: networks' addresses"
attack "of a machine elsewhere" catches_nothing 203.0.113.0/24
attack "a few addresses around it" catches_nothing 203.0.113.4/30
attack "of a machine elsewhere, over IPv6" catches_nothing 2001:db8:7::/64 --ipv6
attack "private addresses that are no pool's" catches_nothing 192.168.7.0/24
attack "a quarter of all there is" catches_nothing 0.0.0.0/2
attack "all of a pool" catches_nothing 10.128.0.0/9
attack "more local addresses of IPv6 than a network has" catches_nothing fd55::/48 --ipv6
attack "where clouds have their metadata" catches_nothing 169.254.169.0/24
of_the_pools() {
    as $BOB bulkhead network create --ipv6 --subnet 172.30.16.0/20 --subnet fd12:3456::/64 fine
    matches "$(ip route show 172.30.16.0/20)" 'dev '
    as $BOB bulkhead network rm fine
}
attack "one of the pools is for everybody to choose" of_the_pools

# ---- reaching --------------------------------------------------------------------------------------------

reaches() { # UID NAME : everything of Alice's, from there
    local kind
    for kind in tcp udp; do
        ask_from at "$1" "$2" -- $kind "$MINE" 80 1 || return 1
        ask_from at "$1" "$2" -- $kind "$MINE6" 81 1 || return 1
    done
    as "$1" bulkhead exec "$2" ping -c 1 -W 1 "$MINE"
    as "$1" bulkhead exec "$2" ping -c 1 -W 1 "$MINE6"
}
reaches_nothing() { # UID NAME
    local kind
    for kind in tcp udp; do
        ! ask_from at "$1" "$2" -- $kind "$MINE" 80 0.3 || return 1
        ! ask_from at "$1" "$2" -- $kind "$MINE6" 81 0.3 || return 1
    done
    ! as "$1" bulkhead exec "$2" ping -c 1 -W 1 "$MINE" || return 1
    ! as "$1" bulkhead exec "$2" ping -c 1 -W 1 "$MINE6" || return 1
}
routes_of_its_own() { # as if something in it could set them
    at $BOB bobs ip route add "$MINE/32" via "$BOBS_GATEWAY"
    at $BOB bobs ip -6 route add "$MINE6/128" via "$(said_of $BOB bobs his IPv6Gateway)"
    reaches_nothing $BOB bobs
    at $BOB bobs ip route del "$MINE/32"
    at $BOB bobs ip -6 route del "$MINE6/128"
}
an_address_of_hers() { # Bob's container takes Alice's neighbour's address for its own
    at $BOB bobs ip address add "$MATE/24" dev eth0
    ! ask_from at $BOB bobs -- tcp "$MINE" 80 0.3 "$MATE" || return 1
    at $BOB bobs ip address del "$MATE/24" dev eth0
}
link_local() { # neighbours answer to everybody on their own link, and to nobody on another
    local address
    address=$(at $ALICE mine ip -6 -o address show dev eth0 scope link | awk '{ sub("/.*", "", $4); print $4 }')
    as $ALICE bulkhead exec mate ping -6 -c 1 -W 2 "$address%eth0"
    ! as $BOB bulkhead exec bobs ping -6 -c 1 -W 1 "$address%eth0" || return 1
}
class "tenants: networks reached"
check "from Alice's own, everything answers" reaches $ALICE mate
attack "from Bob's network" reaches_nothing $BOB bobs
attack "from Bob's default network" reaches_nothing $BOB bobs-other
attack "from root's default network" reaches_nothing 0 roots
attack "with routes of its own" routes_of_its_own
attack "with an address of hers" an_address_of_hers
attack "by link-local addresses" link_local
the_other_way() { # nor do Alice's reach Bob's
    serve at $BOB bobs -- tcp 0.0.0.0 80
    equal "$(ask_from at $BOB bobs -- tcp "$BOBS" 80)" "$BOBS"
    ! ask_from at $ALICE mine -- tcp "$BOBS" 80 0.3 || return 1
}
attack "from Alice's to Bob's" the_other_way

# ---- pretending ------------------------------------------------------------------------------------------

forge() { python3 "$ATTACK/forge.py" "$@"; }
ear() { # starts one in Alice's container
    nsenter --target "$(as $ALICE bulkhead inspect -f '{{.State.Pid}}' mine)" --net -- python3 "$ATTACK/forge.py" listen 0.0.0.0 99 >"$WORK/heard" 2>&1 7>&- &
    at_end "kill $!"
    disown
    eventually grep -q listening "$WORK/heard"
}
heard() { grep -q "$1" "$WORK/heard"; }
honest_is_heard() { # a datagram of the very same form, with the source that is its sender's
    at $ALICE mate python3 "$ATTACK/forge.py" udp "$MATE" "$MINE" 99 honest
    eventually heard "$MATE honest"
}
# what is sent after a forgery arrives after it: so that nothing has to be waited for
not_heard() { # TEXT
    at $ALICE mate python3 "$ATTACK/forge.py" udp "$MATE" "$MINE" 99 "after $1"
    eventually heard "after $1"
    ! grep "[0-9] $1" "$WORK/heard" || return 1
}
neighbour_of_hers_forges() { # in her own network
    at $ALICE mate python3 "$ATTACK/forge.py" udp "$OUTSIDE4" "$MINE" 99 forged-within
    not_heard forged-within
}
bob_forges() {
    at $BOB bobs python3 "$ATTACK/forge.py" udp "$MATE" "$MINE" 99 forged-source
    at $BOB bobs python3 "$ATTACK/forge.py" udp "$BOBS" "$MINE" 99 own-source
    not_heard forged-source
    not_heard own-source
}
bob_frames() { # straight to the bridge
    local bridge
    bridge=$(at $BOB bobs ip neigh show "$BOBS_GATEWAY" | awk '{ print $5 }')
    [ -n "$bridge" ]
    at $BOB bobs python3 "$ATTACK/forge.py" frame eth0 "$bridge" "$MATE" "$MINE" 99 forged-frame
    at $BOB bobs python3 "$ATTACK/forge.py" frame eth0 "$bridge" "$BOBS" "$MINE" 99 own-frame
    not_heard forged-frame
    not_heard own-frame
}
bob_claims() { # by ARP, addresses of hers and her gateway's: what the host knows of them stays as it is
    local before gateway
    gateway=$(said_of $ALICE mine hers Gateway)
    ask tcp "$MINE" 80
    before=$(ip neigh show "$MINE" | awk '{ print $3, $5 }')
    [ -n "$before" ]
    at $BOB bobs python3 "$ATTACK/forge.py" arp eth0 "$MINE"
    at $BOB bobs python3 "$ATTACK/forge.py" arp eth0 "$gateway"
    ask tcp "$MINE" 80
    equal "$(ip neigh show "$MINE" | awk '{ print $3, $5 }')" "$before" "where the host finds it"
}
class "tenants: networks forged"
ear
check "an honest datagram of that form is heard" honest_is_heard
attack "a source that is not the sender's, in her own network" neighbour_of_hers_forges
attack "her neighbour's address as the source" bob_forges
attack "frames past the routes" bob_frames
attack "her addresses claimed by ARP" bob_claims

# ---- asking by name ---------------------------------------------------------------------------------------

answers() { at "$1" "$2" dig +short +time=2 +tries=1 @127.0.0.11 "${@:3}"; } # UID NAME QUESTION...
hers_are_hers() {
    equal "$(answers $ALICE mate mine)" "$MINE"
    equal "$(answers $ALICE mate store)" "$MINE"
    equal "$(answers $ALICE mate "${CONTAINER:0:12}")" "$MINE"
    equal "$(answers $ALICE mate -x "$MINE")" mine.hers.
}
bob_learns_nothing() { # UID NAME
    local question
    for question in mine store mate "${CONTAINER:0:12}" mine.hers "-x $MINE" "-x $MINE6" "mine AAAA"; do
        equal "$(answers "$1" "$2" $question 2>&1 | grep -v '^;;' || true)" "" "$question"
    done
}
her_server() { # her names are answered where she is, and at no address that can be reached from elsewhere
    local gateway
    gateway=$(said_of $ALICE mine hers Gateway)
    for gateway in "$gateway" "$MINE" "$BOBS_GATEWAY"; do
        ! at $BOB bobs dig +short +time=1 +tries=1 "@$gateway" mine >"$WORK/seen" 2>&1 || ! grep -q "$MINE" "$WORK/seen" || return 1
    done
}
class "tenants: networks' names"
check "Alice's names are answered in her network" hers_are_hers
attack "Alice's names asked for in Bob's network" bob_learns_nothing $BOB bobs
attack "Alice's names asked of other servers" her_server
attack "and what Alice has is as it was" reaches $ALICE mate
