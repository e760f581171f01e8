#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Real packets on the default network and on others: out to another machine, in through published ports with the client's own address,
# past the host's input rules and never around them, between containers where that is allowed and nowhere else.
source "$(dirname "$0")/../lib/system.sh"
source "$(dirname "$0")/../lib/network.sh"

prepare() {
    bulkhead network create front >/dev/null
    bulkhead network create back >/dev/null
    bulkhead network create --internal closed >/dev/null
    bulkhead network create --opt com.docker.network.bridge.enable_icc=false apart >/dev/null
    bulkhead network create --ipv6 --subnet fd77::/64 six >/dev/null
}

# ---- out ------------------------------------------------------------------------------------------------

default_network_leads_out() {
    sleeper --name plain >/dev/null
    equal "$(ask_from inside plain -- tcp $OUTSIDE4 8000)" $HOST4 "the other machine sees the host"
    equal "$(ask_from inside plain -- udp $OUTSIDE4 8000)" $HOST4
    bulkhead exec plain ping -c 1 -W 2 $OUTSIDE4
    matches "$(bulkhead exec plain ip route)" "default via $(bulkhead inspect -f '{{.NetworkSettings.Gateway}}' plain) dev eth0"
    equal "$(bulkhead exec plain cat /sys/class/net/eth0/address)" "$(bulkhead inspect -f '{{.NetworkSettings.MacAddress}}' plain)"
}
ipv6_leads_out() {
    sleeper --name sixth --network six >/dev/null
    matches "$(address6_of sixth six)" "^fd77::"
    equal "$(ask_from inside sixth -- tcp $OUTSIDE6 8000)" $HOST6
    bulkhead exec sixth ping6 -c 1 -W 2 $OUTSIDE6
}
internal_does_not() {
    sleeper --name shut --network closed >/dev/null
    sleeper --name shut2 --network closed >/dev/null
    ! ask_from inside shut -- tcp $OUTSIDE4 8000 1 || return 1
    serve inside shut2 -- tcp 0.0.0.0 80
    ask_from inside shut -- tcp "$(address_of shut2 closed)" 80
    equal "$(bulkhead exec shut ip route | grep -c default)" 0
}

# ---- in -------------------------------------------------------------------------------------------------

published() {
    sleeper --name web -p 8080:80 -p 8080:80/udp -p 127.0.0.1:8081:80 --network front >/dev/null
    serve inside web -- tcp 0.0.0.0 80
    serve inside web -- udp 0.0.0.0 80
    equal "$(ask_from outside -- tcp $HOST4 8080)" $OUTSIDE4 "the client's own address arrives"
    equal "$(ask_from outside -- udp $HOST4 8080)" $OUTSIDE4 "over UDP as well"
    ask tcp 127.0.0.1 8080
    ask tcp $HOST4 8080
    ask tcp 127.0.0.1 8081
    ! ask_from outside -- tcp $HOST4 8081 1 || return 1
    equal "$(bulkhead port web 80/tcp | head -1)" 0.0.0.0:8080
}
published_over_ipv6() {
    sleeper --name web6 -p 8086:80 --network six >/dev/null
    serve inside web6 -- tcp :: 80
    equal "$(ask_from outside -- tcp $HOST6 8086)" $OUTSIDE6
    ask tcp $HOST6 8086
}
host_rules_hold() {
    local rule
    nft 'add table ip guard; add chain ip guard input { type filter hook input priority 0; }; add rule ip guard input tcp dport 8080 drop'
    ! ask_from outside -- tcp $HOST4 8080 1 || return 1
    nft delete table ip guard
    equal "$(ask_from outside -- tcp $HOST4 8080)" $OUTSIDE4 "without the rule"
    iptables -I INPUT -p tcp --dport 8080 -j REJECT
    ! ask_from outside -- tcp $HOST4 8080 1 || return 1
    iptables -D INPUT 1
    # the usual kind: nothing but what is allowed
    iptables -A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
    iptables -A INPUT -i lo -j ACCEPT
    iptables -P INPUT DROP
    ! ask_from outside -- tcp $HOST4 8080 1 || return 1
    iptables -A INPUT -s $OUTSIDE4 -p tcp --dport 8080 -j ACCEPT
    equal "$(ask_from outside -- tcp $HOST4 8080)" $OUTSIDE4 "allowed"
    iptables -P INPUT ACCEPT
    iptables -F INPUT
}
not_published_is_not_reachable() {
    local address
    address=$(address_of web front)
    outside ip route add "$address" via $HOST4
    ! ask_from outside -- tcp "$address" 80 1 || return 1
    outside ip route del "$address"
}
port_is_taken() {
    exits 125 bulkhead run --rm -p 8080:80 "$IMAGE" true
    matches "$(cat "$WORK/err")" "Bind for 0.0.0.0:8080 failed: port is already allocated"
    serve -- tcp 0.0.0.0 8099
    exits 125 bulkhead run --rm -p 8099:80 "$IMAGE" true
    matches "$(cat "$WORK/err")" "8099.*(address already in use|already allocated)"
    equal "$(bulkhead ps -aq --filter status=created | wc -l)" 0
    bulkhead rm -f web
    bulkhead run --rm -p 8080:80 "$IMAGE" true
}
ranges_and_random() {
    sleeper --name one -p 9000-9001:80 --network front >/dev/null
    sleeper --name two -p 9000-9001:80 --network front >/dev/null
    equal "$( (bulkhead port one; bulkhead port two) | sed 's/.*://' | sort -u | xargs)" "9000 9001"
    exits 125 bulkhead run --rm -p 9000-9001:80 "$IMAGE" true
    sleeper --name any -P --expose 80 --expose 81/udp --network front >/dev/null
    matches "$(bulkhead port any 80/tcp | head -1)" '^0\.0\.0\.0:[0-9]+$'
    matches "$(bulkhead port any 81/udp | head -1)" '^0\.0\.0\.0:[0-9]+$'
    serve inside any -- tcp 0.0.0.0 80
    equal "$(ask_from outside -- tcp $HOST4 "$(bulkhead port any 80/tcp | head -1 | sed 's/.*://')")" $OUTSIDE4
    bulkhead rm -f one two any
}
hairpin() {
    sleeper --name server -p 8082:80 --network front >/dev/null
    sleeper --name neighbour --network front >/dev/null
    sleeper --name stranger --network back >/dev/null
    serve inside server -- tcp 0.0.0.0 80
    ask_from inside neighbour -- tcp $HOST4 8082
    equal "$(ask_from inside stranger -- tcp $HOST4 8082)" "$(address_of stranger back)" "another network's container, as itself"
    ask_from inside server -- tcp $HOST4 8082
}

# ---- between --------------------------------------------------------------------------------------------

neighbours_and_strangers() {
    equal "$(ask_from inside neighbour -- tcp "$(address_of server front)" 80)" "$(address_of neighbour front)"
    ! ask_from inside stranger -- tcp "$(address_of server front)" 80 1 || return 1
    ! ask_from inside plain -- tcp "$(address_of server front)" 80 1 || return 1
    serve inside stranger -- tcp 0.0.0.0 80
    ! ask_from inside server -- tcp "$(address_of stranger back)" 80 1 || return 1
    ask tcp "$(address_of server front)" 80
}
connected_later() {
    bulkhead network connect back server
    equal "$(ask_from inside stranger -- tcp "$(address_of server back)" 80)" "$(address_of stranger back)"
    bulkhead network disconnect back server
    ! ask_from inside stranger -- tcp "$(address_of server front)" 80 1 || return 1
    equal "$(bulkhead exec server ls /sys/class/net | xargs)" "eth0 lo"
}
icc_off() {
    sleeper --name left --network apart -p 8083:80 >/dev/null
    sleeper --name right --network apart >/dev/null
    serve inside left -- tcp 0.0.0.0 80
    ! ask_from inside right -- tcp "$(address_of left apart)" 80 1 || return 1
    ask tcp 127.0.0.1 8083
    equal "$(ask_from inside right -- tcp $OUTSIDE4 8000)" $HOST4
}
host_loopback_is_closed() {
    serve -- tcp 127.0.0.1 7777
    ask tcp 127.0.0.1 7777
    inside neighbour ip route add 127.0.0.99/32 via "$(bulkhead inspect -f '{{.NetworkSettings.Networks.front.Gateway}}' neighbour)" || true
    ! ask_from inside neighbour -- tcp "$(bulkhead inspect -f '{{.NetworkSettings.Networks.front.Gateway}}' neighbour)" 7777 1
}

# ---- staying -------------------------------------------------------------------------------------------

survives_its_helpers() {
    local role dead
    for role in netd policyd engine; do
        dead=$(helper_pid $role)
        kill -9 "$dead"
        eventually restarted "$role" "$dead"
        ask_from inside neighbour -- tcp "$(address_of server front)" 80
        equal "$(ask_from outside -- tcp $HOST4 8082)" $OUTSIDE4 "after the death of $role"
    done
    eventually bulkhead run --rm --network front "$IMAGE" ping -c 1 -W 2 "$(address_of server front)"
}
survives_a_firewall_reload() {
    nft flush ruleset
    eventually still_published
    ! ask_from inside stranger -- tcp "$(address_of server front)" 80 1
}
still_published() { [ "$(ask_from outside -- tcp $HOST4 8082 1)" = $OUTSIDE4 ]; }
nothing_remains() {
    bulkhead rm -f $(bulkhead ps -aq)
    bulkhead network rm front back closed apart six
    eventually no_veth
    equal "$(ip -json link show type bridge | python3 -c 'import json, sys; print(len([link for link in json.load(sys.stdin) if link]))')" 1 "but the default network's bridge"
    ! nft list ruleset | grep -A 3 -E 'map ports|set macs|set sources' | grep elements || return 1
    equal "$(ss -Hltn | grep -c 8082)" 0
}
no_veth() { [ "$(ip -json link show type veth | python3 -c 'import json, sys; print(sum(link.get("ifname", "").startswith("bhv") for link in json.load(sys.stdin)))')" = 0 ]; }

another_machine
serve outside -- tcp 0.0.0.0 8000
serve outside -- udp 0.0.0.0 8000
serve outside -- tcp :: 8000
system_start
system_load
check "networks of every kind are made" prepare
check "the default network leads out, with the host's address" default_network_leads_out
check "IPv6 leads out" ipv6_leads_out
check "an internal network leads nowhere" internal_does_not
check "a published port is reached from everywhere, and sees its clients' addresses" published
check "a port is published over IPv6" published_over_ipv6
check "the host's input rules hold for published ports: nftables, iptables, default drop" host_rules_hold
check "what is not published is not reachable, even with a route" not_published_is_not_reachable
check "a port that is taken is a clear error" port_is_taken
check "ranges and random ports" ranges_and_random
check "containers reach published ports by the host's address" hairpin
check "containers of a network reach one another, and nobody else's" neighbours_and_strangers
check "a container is connected and disconnected while it runs" connected_later
check "containers of a network with icc off reach the world, and not one another" icc_off
check "the host's loopback services are out of reach" host_loopback_is_closed
check "traffic goes on when helpers are killed" survives_its_helpers
check "rules come back after the host's firewall was reloaded" survives_a_firewall_reload
check "nothing remains" nothing_remains
