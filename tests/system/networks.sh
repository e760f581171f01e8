#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Networks as the API and both clients have them: create, list, inspect, delete, prune, connect, disconnect; which addresses are given;
# what inspect and ps say; what Docker refuses, in its words. What travels over them is looked at elsewhere.
source "$(dirname "$0")/../lib/system.sh"
system_start --socket_mode 0666 --address_pool base=172.16.0.0/12,size=20 --address_pool base=fd00:99::/48,size=64
system_load

ALICE=61001
request() { curl -gs --unix-socket "$SOCKET" "${@:2}" "http://localhost$1"; }
# answers STATUS TEXT METHOD PATH [BODY]
answers() {
    local got
    got=$(request "$4" -w ' %{http_code}' -X "$3" -H 'Content-Type: application/json' ${5:+-d "$5"})
    matches "$got" "$2"
    matches "$got" " $1\$"
}
create() { answers "$1" "$2" POST /networks/create "$3"; }
box() { docker run -d "$@" "$IMAGE" sleep 1000 >/dev/null; }
address() { docker inspect -f "{{(index .NetworkSettings.Networks \"$2\").IPAddress}}" "$1"; }
networks_of() { docker inspect -f '{{range $name, $endpoint := .NetworkSettings.Networks}}{{$name}} {{end}}' "$1"; }

fixed_networks() {
    equal "$(docker network ls --format '{{.Name}} {{.Driver}} {{.Scope}}')" $'bridge bridge local\nhost host local\nnone null local'
    equal "$(docker network ls -q --filter driver=null --no-trunc)" "$(docker network inspect -f '{{.Id}}' none)"
    equal "$(docker network ls --filter type=custom -q)" ""
    box --name attached --network host
    equal "$(docker network inspect -f '{{.Name}}{{range .Containers}} {{.Name}}{{end}}' host none)" $'host attached\nnone'
    docker rm -f attached
    equal "$(docker network inspect -f '{{.Driver}}' "$(docker network inspect -f '{{.Id}}' none | cut -c1-12)")" null
    for network in bridge host none; do
        answers 403 "$network is a pre-defined network and cannot be removed" DELETE "/networks/$network"
    done
}
create_and_show() {
    local id
    id=$(docker network create --subnet 10.30.0.0/16 --ip-range 10.30.5.0/24 --gateway 10.30.0.1 --aux-address "router=10.30.5.1" \
        --internal --attachable --label a=b --opt com.docker.network.driver.mtu=1400 shown)
    matches "$id" '^[0-9a-f]{64}$'
    equal "$(docker network inspect -f '{{json .IPAM}}' shown)" '{"Driver":"default","Options":{},"Config":[{"Subnet":"10.30.0.0/16","IPRange":"10.30.5.0/24","Gateway":"10.30.0.1","AuxiliaryAddresses":{"router":"10.30.5.1"}}]}'
    equal "$(docker network inspect -f '{{.Id}} {{.Internal}} {{.Attachable}} {{.Labels}} {{.Options}}' "${id:0:10}")" \
        "$id true true map[a:b] map[com.docker.network.driver.mtu:1400]"
    equal "$(docker network ls -q --no-trunc --filter label=a=b)" "$id"
    equal "$(docker network ls --filter name=^sho --filter type=custom --format '{{.Name}}')" shown
    create 409 'network with name shown already exists' '{"Name":"shown"}'
    docker network rm shown
    answers 404 'network shown not found' GET /networks/shown
    answers 404 'network shown not found' DELETE /networks/shown
}
refused_networks() {
    create 403 'operation is not permitted on predefined bridge network' '{"Name":"bridge"}'
    create 400 'invalid name: name is empty' '{"Name":""}'
    create 404 'plugin not found' '{"Name":"x","Driver":"nope"}'
    create 403 'only one instance of \\"host\\" network is allowed' '{"Name":"x","Driver":"host"}'
    create 403 'swarm is not active' '{"Name":"x","Scope":"swarm"}'
    create 501 'templates are not supported' '{"Name":"x","ConfigOnly":true}'
    create 501 'templates are not supported' '{"Name":"x","ConfigFrom":{"Network":"y"}}'
    create 400 'invalid subnet 10.0.0.7/24: it should be 10.0.0.0/24' '{"Name":"x","IPAM":{"Config":[{"Subnet":"10.0.0.7/24"}]}}'
    create 400 'invalid subnet nonsense: invalid CIDR block notation' '{"Name":"x","IPAM":{"Config":[{"Subnet":"nonsense"}]}}'
    create 400 "parent subnet 10.9.0.0/24 doesn't contain this address" '{"Name":"x","IPAM":{"Config":[{"Subnet":"10.9.0.0/24","Gateway":"10.8.0.1"}]}}'
    create 400 'CIDR block is bigger than its parent subnet' '{"Name":"x","IPAM":{"Config":[{"Subnet":"10.9.0.0/24","IPRange":"10.9.0.0/16"}]}}'
    create 400 'invalid auxiliary address r: invalid address' '{"Name":"x","IPAM":{"Config":[{"Subnet":"10.9.0.0/24","AuxiliaryAddresses":{"r":"bar"}}]}}'
    create 403 'multiple subnets' '{"Name":"x","IPAM":{"Config":[{"Subnet":"10.9.0.0/24"},{"Subnet":"10.10.0.0/24"}]}}'
    create 404 'plugin' '{"Name":"x","IPAM":{"Driver":"foo"}}'
    create 400 'driver.mtu value: abc' '{"Name":"x","Options":{"com.docker.network.driver.mtu":"abc"}}'
    create 400 'enable_icc value: maybe' '{"Name":"x","Options":{"com.docker.network.bridge.enable_icc":"maybe"}}'
    create 501 'only nat is' '{"Name":"x","Options":{"com.docker.network.bridge.gateway_mode_ipv4":"routed"}}'
    create 400 "macvlan mode 'foo' is not valid" '{"Name":"x","Driver":"macvlan","Options":{"parent":"eth0","macvlan_mode":"foo"}}'
    create 400 'unknown field' '{"Name":"x","Colour":"red"}'
    answers 400 "invalid filter" GET '/networks?filters={"colour":["red"]}'
    answers 400 "'type'='odd'" GET '/networks?filters={"type":["odd"]}'
    answers 400 "must be" GET '/networks?filters={"dangling":["maybe"]}'
    equal "$(docker network ls -q --filter type=custom)" ""
}
subnets_apart() {
    docker network create --subnet 172.25.0.0/24 first
    create 403 'Pool overlaps with other one on this address space' '{"Name":"second","IPAM":{"Config":[{"Subnet":"172.25.0.128/25"}]}}'
    exits 1 setpriv --reuid $ALICE --regid $ALICE --clear-groups docker network create --subnet 172.25.0.0/20 hers
    ip link add host0 type bridge
    ip addr add 10.41.0.1/24 dev host0
    ip link set host0 up
    exits 1 docker network create --subnet 10.41.0.0/16 second
    ip link del host0
    docker network create --subnet 10.41.0.0/16 second
    docker network rm first second
}
addresses() {
    docker network create --subnet 10.50.0.0/29 tiny
    box --name t1 --network tiny
    box --name t2 --network tiny
    box --name t3 --network tiny --ip 10.50.0.6
    equal "$(address t1 tiny) $(address t2 tiny) $(address t3 tiny)" "10.50.0.2 10.50.0.3 10.50.0.6"
    docker rm -f t1 >/dev/null
    box --name t4 --network tiny
    equal "$(address t4 tiny)" 10.50.0.4 "not the one that was just given back"
    exits 125 docker run --name t5 --network tiny --ip 10.50.0.6 "$IMAGE" true
    matches "$(cat "$WORK/err")" 'Address already in use'
    docker rm t5
    exits 125 docker run --rm --network tiny --ip 10.51.0.6 "$IMAGE" true
    matches "$(cat "$WORK/err")" "does not belong to any of this network's subnets"
    box --name t6 --network tiny
    box --name t7 --network tiny
    equal "$(address t6 tiny) $(address t7 tiny)" "10.50.0.5 10.50.0.2"
    exits 125 docker run --rm --network tiny "$IMAGE" true
    matches "$(cat "$WORK/err")" 'no available IPv4 addresses'
    docker stop -t 0 t3
    docker run --rm --network tiny --ip 10.50.0.6 "$IMAGE" true
    docker start t3
    equal "$(address t3 tiny)" 10.50.0.6 "its own again"
    docker rm -f t2 t3 t4 t6 t7 >/dev/null
    docker network rm tiny
}
addresses_survive() {
    docker network create --subnet 10.52.0.0/24 kept
    box --name k1 --network kept
    engine_halt "$ENGINE"
    system_restart
    box --name k2 --network kept
    equal "$(address k1 kept) $(address k2 kept)" "10.52.0.2 10.52.0.3"
    kill -KILL "$(helper_pid engine)"
    eventually docker ps
    box --name k3 --network kept
    equal "$(address k3 kept)" 10.52.0.4
    docker exec k3 ping -c 1 -W 2 10.52.0.2
    docker rm -f k1 k2 k3 >/dev/null
    docker network rm kept
}
in_use() {
    docker network create used
    box --name user --network used
    answers 403 'error while removing network: network used id [0-9a-f]{64} has active endpoints \(name:\\"user\\" id:\\"[0-9a-f]{12}\\"\)' DELETE /networks/used
    equal "$(docker network inspect -f '{{range .Containers}}{{.Name}} {{.IPv4Address}} {{.MacAddress}}{{end}}' used)" \
        "user $(address user used)/20 $(docker inspect -f '{{.NetworkSettings.Networks.used.MacAddress}}' user)"
    equal "$(docker network ls --filter dangling=false --filter type=custom --format '{{.Name}}')" used
    docker stop -t 0 user
    docker network rm used
    exits 1 docker start user
    matches "$(cat "$WORK/err")" 'network [0-9a-f]{64} not found'
    equal "$(docker inspect -f '{{.State.Status}} {{.State.ExitCode}}' user)" 'exited 128'
    docker rm user
}
connecting() {
    docker network create --subnet 10.60.0.0/24 one
    docker network create two
    box --name cc
    docker network connect --ip 10.60.0.9 --alias nine one cc
    equal "$(address cc one) $(networks_of cc)" "10.60.0.9 bridge one "
    docker exec cc ip addr show eth1 | grep -q 10.60.0.9
    answers 403 'endpoint with name cc already exists in network one' POST /networks/one/connect '{"Container":"cc"}'
    answers 404 'No such container: nobody' POST /networks/one/connect '{"Container":"nobody"}'
    answers 404 'network nowhere not found' POST /networks/nowhere/connect '{"Container":"cc"}'
    answers 400 'cannot be disconnected from host network or connected to host network' POST /networks/host/connect '{"Container":"cc"}'
    answers 400 'private \(none\) mode' POST /networks/none/connect '{"Container":"cc"}'
    answers 400 'user configured subnets' POST /networks/two/connect '{"Container":"cc","EndpointConfig":{"IPAMConfig":{"IPv4Address":"172.16.0.9"}}}'
    answers 400 'invalid name or ID supplied' POST /networks/one/connect '{}'
    docker network disconnect bridge cc
    answers 400 'network-scoped alias' POST /networks/bridge/connect '{"Container":"cc","EndpointConfig":{"Aliases":["x"]}}'
    equal "$(networks_of cc)" "one "
    exits 1 docker exec cc ip addr show eth0
    answers 500 'is not connected to network two' POST /networks/two/disconnect '{"Container":"cc"}'
    docker network disconnect one cc
    equal "$(networks_of cc)" ""
    docker network connect two cc
    docker exec cc ip addr show eth0 | grep -q "$(address cc two)"
    docker stop -t 0 cc
    docker network connect --ip 10.60.0.77 one cc
    docker network disconnect two cc
    answers 500 'is not connected to the network two' POST /networks/two/disconnect '{"Container":"cc"}'
    docker start cc
    equal "$(address cc one) $(networks_of cc)" "10.60.0.77 one "
    docker rm -f cc >/dev/null
    docker network rm one two
}
several_networks() {
    docker network create --subnet 10.61.0.0/24 alpha
    docker network create --subnet 10.62.0.0/24 beta
    docker network create --internal --subnet 10.63.0.0/24 inner
    box --name mm --network name=beta,ip=10.62.0.9 --network name=alpha,alias=first --network inner
    equal "$(networks_of mm)" "alpha beta inner "
    equal "$(docker exec mm ip -o addr | awk '/eth/ { print $2, $4 }' | paste -sd ' ')" "eth0 10.62.0.9/24 eth1 10.61.0.2/24 eth2 10.63.0.2/24"
    equal "$(docker exec mm ip route | awk '/default/ { print $3 }')" 10.61.0.1 "the first by name"
    docker network disconnect alpha mm
    equal "$(docker exec mm ip route | awk '/default/ { print $3 }')" 10.62.0.1
    docker network disconnect beta mm
    equal "$(docker exec mm ip route | awk '/default/ { print $3 }')" "" "none leads out of an internal network"
    docker rm -f mm >/dev/null
    box --name pp --network alpha --network name=beta,gw-priority=5
    equal "$(docker exec pp ip route | awk '/default/ { print $3 }')" 10.62.0.1 "the priority counts more"
    docker rm -f pp >/dev/null
    docker create --name by-id --network "$(docker network inspect -f '{{.Id}}' alpha)" "$IMAGE"
    equal "$(networks_of by-id)" "alpha " "known by its name"
    docker rm by-id
    docker network rm alpha beta inner
}
ports() {
    box --name web -p 8080:80 -p 127.0.0.1:8443:443/tcp -p 53:53/udp --expose 90
    equal "$(docker port web)" $'53/udp -> 0.0.0.0:53\n80/tcp -> 0.0.0.0:8080\n443/tcp -> 127.0.0.1:8443'
    equal "$(docker inspect -f '{{json (index .NetworkSettings.Ports "90/tcp")}}' web)" null
    equal "$(docker inspect -f '{{json .HostConfig.PortBindings}}' web)" \
        '{"443/tcp":[{"HostIp":"127.0.0.1","HostPort":"8443"}],"53/udp":[{"HostIp":"","HostPort":"53"}],"80/tcp":[{"HostIp":"","HostPort":"8080"}]}'
    matches "$(docker ps --filter name=web --format '{{.Ports}}')" '0.0.0.0:8080->80/tcp'
    equal "$(docker ps --filter publish=8000-8099 --format '{{.Names}}')" web
    equal "$(docker ps --filter publish=53/udp --format '{{.Names}}')" web
    equal "$(docker ps -q --filter publish=80 --filter publish=8080/udp)" "" "ports of the container, or of another protocol"
    equal "$(docker ps --filter network=bridge --format '{{.Names}}')" web
    exits 125 docker run --name late -p 8080:80 "$IMAGE" true
    matches "$(cat "$WORK/err")" 'driver failed programming external connectivity on endpoint late \([0-9a-f]{64}\): Bind for 0.0.0.0:8080 failed: port is already allocated'
    equal "$(docker inspect -f '{{.State.Status}} {{.State.ExitCode}}' late)" "created 128"
    docker rm late
    box --name any -P --expose 90 --expose 91/udp
    matches "$(docker port any 90)" '^0.0.0.0:(3276[89]|327[7-9][0-9]|32[89]|3[3-9]|[45][0-9]|60)'
    box --name range -p 8100-8101:80
    box --name range2 -p 8100-8101:80
    equal "$(docker port range 80) $(docker port range2 80)" "0.0.0.0:8100 0.0.0.0:8101"
    docker stop -t 0 web
    equal "$(docker port web)" ""
    box --name late -p 8080:80
    docker rm -f web late any range range2 >/dev/null
    answers 400 'invalid port specification: \\"x\\"' POST /containers/create '{"Image":"busybox","HostConfig":{"PortBindings":{"x/tcp":[{}]}}}'
    answers 400 'invalid port specification: \\"99999\\"' POST /containers/create '{"Image":"busybox","HostConfig":{"PortBindings":{"80/tcp":[{"HostPort":"99999"}]}}}'
    matches "$(docker run --rm --network host -p 80:80 "$IMAGE" true 2>&1)" 'Published ports are discarded when using host network mode'
}
links() {
    box --name db --expose 5432 -e SECRET=x
    docker run --rm --name linked --link db:store "$IMAGE" sh -c 'env; cat /etc/hosts' >"$WORK/linked"
    grep -qx 'STORE_NAME=/linked/store' "$WORK/linked"
    grep -qx "STORE_PORT_5432_TCP_ADDR=$(address db bridge)" "$WORK/linked"
    grep -qx 'STORE_ENV_SECRET=x' "$WORK/linked"
    matches "$(cat "$WORK/linked")" "$(address db bridge)[[:space:]]+store"
    answers 400 'could not get container for nobody: No such container: nobody' POST /containers/create '{"Image":"busybox","HostConfig":{"Links":["nobody:x"]}}'
    box --name named --hostname hosted
    docker run -d --name holder --link db:store --link named:alias "$IMAGE" sleep 1000
    equal "$(docker exec holder sh -c 'grep -cE "[[:space:]](alias|hosted|named)$" /etc/hosts')" 3
    docker exec -e STORE_ENV_SECRET=own holder env >"$WORK/linked"
    grep -qx 'STORE_NAME=/holder/store' "$WORK/linked"
    grep -qx 'ALIAS_NAME=/holder/alias' "$WORK/linked"
    grep -qx 'STORE_ENV_SECRET=own' "$WORK/linked"
    docker rm -f named
    docker exec holder true # and of what has gone there is nothing to say
    docker run -d --name within --network container:db "$IMAGE" sleep 1000
    docker run --rm --link within:none "$IMAGE" sh -c 'env' >"$WORK/linked"
    ! grep NONE "$WORK/linked" || return 1
    docker rm -f within holder
    docker create --name shown --link db:store "$IMAGE"
    equal "$(docker ps -a --no-trunc --filter name=db --format '{{.Names}}')" "db,shown/store"
    docker create --name same --link /db:/shown/store "$IMAGE"
    equal "$(docker inspect -f '{{.HostConfig.Links}}' same)" "[/db:/same/store]"
    docker rm same
    equal "$(docker inspect -f '{{json .HostConfig.Links}}' shown)" '["/db:/shown/store"]'
    docker create --name freed --link db:store --link db:other "$IMAGE"
    docker rm --link freed/store
    equal "$(docker inspect -f '{{.HostConfig.Links}}' freed)" "[/db:/freed/other]"
    bulkhead rm --link freed/other
    equal "$(docker inspect -f '{{json .HostConfig.Links}}' freed)" null
    answers 404 'No such link: /freed/other' DELETE '/containers/freed/other?link=1'
    answers 404 'No such container: freed/other' DELETE '/containers/freed/other'
    answers 404 'page not found' GET '/containers/freed/other'
    docker rm freed
    docker rm -f db
    exits 1 docker start shown
    docker rm shown
    equal "$(docker run --rm --add-host me:host-gateway "$IMAGE" awk '/me$/ { print $1 }' /etc/hosts)" "$(docker network inspect -f '{{(index .IPAM.Config 0).Gateway}}' bridge)"
}
no_network_at_all() {
    local id
    id=$(request /containers/create -X POST -H 'Content-Type: application/json' -d '{"Image":"busybox","Cmd":["ip","-o","addr"],"NetworkDisabled":true}' |
        python3 -c 'import json, sys; print(json.load(sys.stdin)["Id"])')
    equal "$(docker start -a "$id" | grep -cv ' lo ')" 0
    equal "$(networks_of "$id")" ""
    docker rm "$id"
}
mac_addresses() {
    local id
    equal "$(docker run --rm --mac-address 02:11:22:33:44:55 "$IMAGE" cat /sys/class/net/eth0/address)" 02:11:22:33:44:55
    exits 125 docker run --rm --network bridge --mac-address 01:11:22:33:44:55 "$IMAGE" true
    # the container's own address stays that of its main network when compose connects it anew
    docker network create macs
    id=$(request /containers/create -X POST -H 'Content-Type: application/json' \
        -d '{"Image":"busybox","Cmd":["cat","/sys/class/net/eth0/address"],"MacAddress":"02:11:22:33:44:66","HostConfig":{"NetworkMode":"macs"}}' |
        python3 -c 'import json, sys; print(json.load(sys.stdin)["Id"])')
    docker network disconnect macs "$id"
    docker network connect --alias again macs "$id"
    equal "$(docker start -a "$id")" 02:11:22:33:44:66
    equal "$(request "/v1.38/containers/$id/json" | python3 -c 'import json, sys; print(json.load(sys.stdin)["Config"]["MacAddress"])')" 02:11:22:33:44:66
    docker rm "$id"
    docker network rm macs
}
ipv6() {
    docker network create --ipv6 --subnet fd00:60::/64 --subnet 10.64.0.0/24 six
    equal "$(docker run --rm --network six --ip6 fd00:60::9 "$IMAGE" ip -6 addr show eth0 | awk '/global/ { print $2 }')" fd00:60::9/64
    box --name v6 --network six -p 8200:80
    equal "$(docker inspect -f '{{.NetworkSettings.Networks.six.GlobalIPv6Address}} {{.NetworkSettings.Networks.six.IPv6Gateway}} {{.NetworkSettings.Networks.six.GlobalIPv6PrefixLen}}' v6)" "fd00:60::2 fd00:60::1 64"
    equal "$(docker port v6 80)" $'0.0.0.0:8200\n[::]:8200'
    docker rm -f v6 >/dev/null
    docker network rm six
    docker network create --ipv6 six
    matches "$(docker network inspect -f '{{range .IPAM.Config}}{{.Subnet}} {{end}}' six)" '/20 fd00:99::/64 $'
    docker network rm six
}
events_of_networks() {
    local from id
    from=$(date +%s.%N)
    id=$(docker network create told)
    docker run --rm --name teller --network told "$IMAGE" true
    docker network rm told
    docker network prune -f >/dev/null
    equal "$(docker events --since "$from" --until "$(date +%s.%N)" -f type=network --format '{{.Action}} {{.Actor.Attributes.name}} {{.Actor.Attributes.type}}' | paste -sd ,)" \
        "create told bridge,connect told bridge,disconnect told bridge,destroy told bridge,prune <no value> <no value>"
    equal "$(docker events --since "$from" --until "$(date +%s.%N)" -f network=told --format '{{.Actor.ID}}' | sort -u)" "$id"
}
pruning() {
    docker network create --label keep=yes stays
    docker network create goes
    box --name busy --network stays
    equal "$(request '/networks/prune?filters={"label!":["keep"]}' -X POST)" '{"NetworksDeleted":["goes"]}'
    equal "$(request /networks/prune -X POST)" '{"NetworksDeleted":null}'
    docker rm -f busy
    equal "$(request /networks/prune -X POST)" '{"NetworksDeleted":["stays"]}'
}
renamed() {
    docker network create names
    box --name before --network names
    docker rename before after
    equal "$(docker inspect -f '{{index .NetworkSettings.Networks.names.DNSNames 0}}' after)" after
    docker run --rm --network names "$IMAGE" nslookup after 127.0.0.11
    docker rm -f after
    docker network rm names
}
tenants() {
    local hers
    hers() { setpriv --reuid $ALICE --regid $ALICE --clear-groups docker "$@"; }
    docker network create mine
    hers network create mine
    equal "$(hers network ls --format '{{.Name}}' | paste -sd ' ')" "bridge host mine none"
    [ "$(hers network inspect -f '{{.Id}}' mine bridge)" != "$(docker network inspect -f '{{.Id}}' mine bridge)" ]
    exits 1 hers network inspect "$(docker network inspect -f '{{.Id}}' mine)"
    exits 1 hers network rm "$(docker network inspect -f '{{.Id}}' mine)"
    hers network rm mine
    equal "$(docker network inspect -f '{{.Name}}' mine)" mine
    docker network rm mine
}
own_client() {
    bulkhead network create --subnet 10.70.0.0/24 --label x=y ours >/dev/null
    bulkhead run -d --name oo --network ours -p 8300:80 busybox sleep 1000 >/dev/null
    equal "$(bulkhead inspect -f '{{.NetworkSettings.Networks.ours.IPAddress}}' oo)" 10.70.0.2
    equal "$(bulkhead port oo)" "80/tcp -> 0.0.0.0:8300"
    bulkhead network create other >/dev/null
    bulkhead network connect --alias elsewhere other oo
    bulkhead network disconnect ours oo
    bulkhead network inspect other | grep -q '"Name": "oo"'
    bulkhead network reload
    bulkhead doctor | grep -E '^ok +networks'
    bulkhead rm -f oo >/dev/null
    bulkhead network rm ours other
    bulkhead network prune -f
    exits 1 setpriv --reuid $ALICE --regid $ALICE --clear-groups bulkhead network reload
}
rules() {
    local id=61002
    hers() { setpriv --reuid $id --regid $id --clear-groups docker "$@"; }
    hers load -i "$WORK/busybox.tar"
    cat >"$ENGINE/policy.d/50-networks.json" <<END
{"version": 1, "tenants": [$id], "networks": ["none"]}
END
    chmod 0644 "$ENGINE/policy.d/50-networks.json"
    kill -HUP "$(engine_pid "$ENGINE")"
    eventually refused
    matches "$(cat "$WORK/err")" 'network bridge is not allowed; none is \(rule "networks"'
    hers run --rm --network none "$IMAGE" true
    exits 1 hers network create hers
    matches "$(cat "$WORK/err")" 'network bridge is not allowed; none is \(rule "networks"'
    equal "$(hers ps -aq)$(hers network ls -q --filter type=custom)" ""
    rm "$ENGINE/policy.d/50-networks.json"
    kill -HUP "$(engine_pid "$ENGINE")"
    hers rmi busybox
}
refused() { ! hers run --rm "$IMAGE" true 2>"$WORK/err"; }
python_networks() {
    timeout 60 python3 - "$SOCKET" <<'END'
import sys

import docker

client = docker.DockerClient(base_url="unix://" + sys.argv[1])
pool = docker.types.IPAMPool(subnet="10.80.0.0/24", gateway="10.80.0.254")
network = client.networks.create("py", ipam=docker.types.IPAMConfig(pool_configs=[pool]), labels={"by": "python"}, check_duplicate=True)
box = client.containers.run("busybox", "sleep 1000", name="pybox", detach=True, network="py", ports={"80/tcp": ("127.0.0.1", 8400)})
box.reload()
assert box.attrs["NetworkSettings"]["Networks"]["py"]["IPAddress"] == "10.80.0.1", box.attrs["NetworkSettings"]
assert box.ports == {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8400"}]}, box.ports
network.reload()
assert [member.name for member in network.containers] == ["pybox"]
other = client.networks.create("py2")
other.connect(box, aliases=["second"])
box.reload()
assert box.attrs["NetworkSettings"]["Networks"]["py2"]["Aliases"] == ["second"]
other.disconnect(box)
box.remove(force=True)
assert client.networks.prune()["NetworksDeleted"] == ["py", "py2"]
END
}
compose_project() {
    mkdir -p "$WORK/project"
    cat >"$WORK/project/docker-compose.yml" <<'END'
version: "3.5"
services:
  web:
    image: busybox
    command: sleep 1000
    networks: {front: {aliases: [site]}, back: {}}
    ports: ["8500:80"]
  db:
    image: busybox
    command: sleep 1000
    networks: {back: {ipv4_address: 10.90.0.50, aliases: [store]}}
networks:
  front: {}
  back: {internal: true, ipam: {config: [{subnet: 10.90.0.0/24}]}}
END
    (cd "$WORK/project" && docker-compose -p proj up -d)
    equal "$(docker port proj_web_1 80)" 0.0.0.0:8500
    equal "$(address proj_db_1 proj_back)" 10.90.0.50
    docker exec proj_web_1 ping -c 1 -W 2 store
    docker exec proj_db_1 ping -c 1 -W 2 web
    exits 1 docker exec proj_db_1 nslookup site 127.0.0.11
    (cd "$WORK/project" && docker-compose -p proj down)
    equal "$(docker network ls -q --filter name=proj)" ""
}

many_at_once() {
    local i
    docker network create many
    for i in $(seq 40); do
        bulkhead run -d --name "many$i" --network many -p 80 busybox sleep 1000 >/dev/null &
        [ $((i % 8)) != 0 ] || wait
    done
    wait
    equal "$(docker network inspect -f '{{len .Containers}}' many)" 40
    equal "$(docker network inspect -f '{{range .Containers}}{{println .IPv4Address .MacAddress}}{{end}}' many | sort -u | grep -c :)" 40
    equal "$(docker ps --filter network=many --format '{{.Ports}}' | sort -u | wc -l)" 40
    docker exec many40 ping -c 1 -W 2 many1
    docker rm -f $(docker ps -aq --filter network=many) >/dev/null
    equal "$(docker network inspect -f '{{len .Containers}}' many)" 0
    docker network rm many
}
# whoever is killed while containers come and go: no address, port, row or link is left
killed() {
    local role
    docker network create rough
    for role in engine netd policyd executor netd engine; do
        for _ in 1 2 3 4 5; do docker run --rm --network rough -p 9000-9100:80 "$IMAGE" true || true; done &
        sleep 0.3
        kill -KILL "$(helper_pid "$role")"
        wait
    done
    eventually bulkhead ps
    eventually no_members
    eventually no_links
    docker container prune -f # whose creation was answered to nobody
    equal "$(docker ps -aq)" ""
    docker run --rm --network rough -p 9000:80 "$IMAGE" true
    eventually sound
    docker network rm rough
}
no_members() { [ "$(docker network inspect -f '{{len .Containers}}' rough)" = 0 ]; }
no_links() { ! ip -br link | grep -q '^bhv'; }
sound() { bulkhead doctor | grep -qE '^ok +networks'; }
netd_again() {
    docker network create again
    box --name served --network again -p 127.0.0.1:0:80
    local port
    port=$(docker port served 80)
    kill -KILL "$(helper_pid netd)"
    eventually sound
    equal "$(docker port served 80)" "$port"
    docker run --rm --network again "$IMAGE" ping -c 1 -W 2 served
    docker rm -f served
    docker network rm again
}

check "the three fixed networks" fixed_networks
check "create, inspect, list, delete" create_and_show
check "what makes no network" refused_networks
check "no two subnets overlap, whosever they are" subnets_apart
check "addresses: the lowest behind the last, none twice, and back again" addresses
check "addresses survive the engine" addresses_survive
check "a network in use" in_use
check "connect and disconnect, running and stopped" connecting
check "several networks and the default route" several_networks
check "published ports in inspect, ps and port" ports
check "links and host-gateway" links
check "NetworkDisabled" no_network_at_all
check "MAC addresses" mac_addresses
check "IPv6" ipv6
check "events" events_of_networks
check "prune" pruning
check "a container that is renamed" renamed
check "a tenant's networks are its own" tenants
check "a rule that allows no bridge is named" rules
check "bulkhead's own client" own_client
check "python's SDK" python_networks
check "a project of docker-compose" compose_project
check "many containers at once" many_at_once
check "netd is killed under running containers" netd_again
check "helpers are killed while containers come and go" killed
check "nothing is left behind" nothing_left
