#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A docker-compose project (Debian's docker-compose 1.29): three services, a named volume, health checks, depends_on, logs, exec,
# scale, restart, down -v.
# slow
source "$(dirname "$0")/../lib/system.sh"
system_start
system_load

project=$WORK/project
mkdir -p "$project/site"
echo "from the host" >"$project/site/page"
cat >"$project/docker-compose.yml" <<'END'
version: "2.4"
services:
  store:
    image: busybox
    command: ["sh", "-c", "echo storing; echo kept > /data/value; touch /tmp/ready; exec sleep 1000"]
    init: true
    network_mode: none
    volumes: ["data:/data"]
    healthcheck: {test: ["CMD", "test", "-e", "/tmp/ready"], interval: 200ms, timeout: 5s, retries: 50}
    stop_grace_period: 1s
  web:
    image: busybox
    command: ["sh", "-c", "echo value $$(cat /data/value) $$WHO; cat /site/page; exec sleep 1000"]
    init: true
    network_mode: none
    environment: {WHO: "two words"}
    volumes: ["data:/data:ro", "./site:/site:ro"]
    depends_on: {store: {condition: service_healthy}}
    labels: {team: web}
    restart: unless-stopped
    mem_limit: 64m
    stop_grace_period: 1s
  worker:
    image: busybox
    command: ["sh", "-c", "echo working; exec sleep 1000"]
    init: true
    network_mode: none
    tmpfs: ["/scratch:size=1m"]
    logging: {driver: local, options: {max-size: 1m}}
    stop_grace_period: 1s
volumes:
  data: {labels: {purpose: test}}
END
compose() { docker-compose --project-name ship --project-directory "$project" -f "$project/docker-compose.yml" --ansi never "$@"; }
id_of() { compose ps -q "$1"; }

comes_up() {
    compose up -d
    equal "$(compose ps -q | wc -l)" 3 containers
    equal "$(bulkhead inspect -f '{{.State.Health.Status}}' "$(id_of store)")" healthy
    equal "$(bulkhead ps --filter label=com.docker.compose.project=ship -q | wc -l)" 3
}
named_volume() {
    equal "$(bulkhead volume ls -q --filter label=purpose=test)" ship_data
    equal "$(compose exec -T web cat /data/value)" kept
    ! compose exec -T web sh -c 'echo x >/data/value'
}
order_and_logs() {
    matches "$(compose logs --no-color web)" 'web_1 +\| value kept two words'
    matches "$(compose logs --no-color web)" 'from the host'
    matches "$(compose logs --no-color worker)" 'working'
    equal "$(compose logs --no-color | grep -c storing)" 1
}
executes() {
    equal "$(compose exec -T worker sh -c 'df -k /scratch | tail -1 | awk "{print \$2}"')" 1024
    local status=0
    compose exec -T worker sh -c 'exit 7' || status=$?
    equal "$status" 7
}
nothing_to_do() {
    local before
    before=$(compose ps -q | sort)
    compose up -d
    equal "$(compose ps -q | sort)" "$before" "containers that need no change"
}
changes_recreate() {
    local before
    before=$(id_of web)
    sed -i 's/two words/three words/' "$project/docker-compose.yml"
    compose up -d
    [ "$(id_of web)" != "$before" ]
    eventually logged 'three words'
}
logged() { compose logs --no-color web | grep -q "$1"; }
scales() {
    compose up -d --scale worker=3
    equal "$(compose ps -q worker | wc -l)" 3
    compose up -d --scale worker=1
    equal "$(compose ps -q worker | wc -l)" 1
}
restarts_and_stops() {
    compose restart -t 1 worker
    equal "$(compose logs --no-color worker | grep -c working)" 2
    compose pause store
    equal "$(bulkhead inspect -f '{{.State.Status}}' "$(id_of store)")" paused
    compose unpause store
    compose stop -t 1 worker
    equal "$(bulkhead inspect -f '{{.State.Status}}' "$(id_of worker)")" exited
    compose start worker
    matches "$(compose top worker)" 'sleep 1000'
}
one_off() { equal "$(compose run --rm -T worker echo one-off)" one-off; }
goes_down() {
    compose down -v -t 1
    equal "$(bulkhead ps -aq)" "" containers
    equal "$(bulkhead volume ls -q)" "" volumes
}

check "up starts in the order of depends_on and waits for health" comes_up
check "a named volume is shared, and read-only where asked" named_volume
check "logs of each and of all" order_and_logs
check "exec, tmpfs, and the exit code" executes
check "up again changes nothing" nothing_to_do
check "a change recreates its service alone" changes_recreate
check "scale up and down" scales
check "restart, pause, stop, start, top" restarts_and_stops
check "run of a one-off" one_off
check "down -v takes containers and volumes away" goes_down
check "nothing is left" nothing_left
