#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The same from inside those who read what strangers wrote: a pull's workers while a slow registry still sends, the worker that seals a
# layer, the copiers of a container's files, and the monitors of containers. And who can reach whom, while they run.
# alone
# sanitize
source "$(dirname "$0")/../lib/system.sh"
source "$(dirname "$0")/lib/breach.sh"

PULLING="fetch dial store-intake extract"
entered=()

all_run() {
    local name running
    running=" $(breach names | tr '\n' ' ')"
    for name in "$@"; do [[ $running == *" $name "* ]] || return 1; done
}
knows_the_password() {
    local said
    said=$(forge remembers fetch "$PASSWORD") && return 1
    matches "$said" 'holds it at'
}
worker_of() { pgrep -n -P "$(helper_pid "$1")"; }
is_another() { [ -n "$(worker_of fetcher)" ] && [ "$(worker_of fetcher)" != "$1" ]; }
is_the_one() { equal "$(worker_of fetcher)" "$1"; }
confined() { # NAME
    local chapter
    entered+=("$1")
    for chapter in $CHAPTERS; do
        check "$1 does what its row says and nothing else: $chapter" breach attempts "$1" $chapter
    done
    check "$1 makes no system call that its row does not name" breach calls "$1"
}

"$ROOT/deploy/make-busybox-image" "$WORK/busybox.tar"
image_folder "$WORK/busybox.tar" team/busybox 1 "$WORK/image" >/dev/null
odd_registry "$WORK/image" --fault slow=0.001 --auth basic --user alice --password "$PASSWORD"
PRIVATE=$ODD
odd_registry "$WORK/image" --fault slow=0.001
NOBODYS=$(free_port) # a registry that is configured, and is not there
broker_start
CHAPTERS=$(breach chapters)
system_start --address_pool base=172.16.0.0/12,size=24 --insecure_registry "$ODD" --private_registry "$ODD" --insecure_registry "$PRIVATE" --private_registry "$PRIVATE" --insecure_registry "127.0.0.1:$NOBODYS" --private_registry "127.0.0.1:$NOBODYS"
tenants_welcome

# a pull that lasts, with a password
printf '{"auths": {"%s": {"auth": "%s"}}}' "$PRIVATE" "$(printf '%s' "alice:$PASSWORD" | base64 -w0)" >"$DOCKER_CONFIG/config.json"
bulkhead pull "$PRIVATE/team/busybox:1" >"$WORK/pulled" 2>&1 &
pull=$!
check "a slow pull has a worker of each kind" eventually all_run $PULLING
check "its worker knows the password it was given" knows_the_password
for name in fetcher dialer dial store store-intake extractor extract policyd executor netd supervisor; do
    check "no memory of $name's holds that password" forge remembers $name "$PASSWORD"
done
for name in $PULLING; do
    check "$name can write to no memory of its service's" forge shared $name
done
check "memory that is shared would be seen" breach bare_shared
first=$(worker_of fetcher)
as $BOB bulkhead pull "$ODD/team/busybox:1" >"$WORK/pulled-too" 2>&1 &
other=$!
check "another tenant's pull has a worker of its own" eventually is_another "$first"
check "no memory of that worker's holds the first one's password" forge remembers fetch "$PASSWORD"
kill -- -$other # the function that became it, too
wait $other 2>/dev/null
check "that worker ends with its pull" eventually is_the_one "$first"
check "everybody reaches whom the table names, and nobody else, while a pull runs" breach matrix
for name in $PULLING; do
    confined $name
done
check "a pull's worker gets no connection but to its registry" forge dials "$PRIVATE"
check "the connection that it gets leads nowhere else" forge elsewhere $NOBODYS
for name in extract store-intake dial fetch; do
    check "descriptors and bytes that nobody asked for are closed: from $name" forge worker $name
done
kill $pull 2>/dev/null
wait $pull 2>/dev/null

# the worker that seals a layer lives for milliseconds: it is caught as soon as it is sealed itself
mkdir "$WORK/fresh"
cat >"$WORK/seal" <<'END'
#!/bin/sh
head -c 64 /dev/urandom >"$1/content" && tar -C "$1" -cf - content | "$2" import - fresh:1
END
chmod 0755 "$WORK/seal"
check "store-seal does what its row says and nothing else" breach caught store-seal "$WORK/seal" "$WORK/fresh" "$bulkhead"
entered+=(store-seal)
bulkhead load -i "$WORK/busybox.tar" >/dev/null
bulkhead rmi fresh:1 >/dev/null

check "monitors can be entered" breach listen

# netd's workers: one answers a tenant's containers their names, one closes what must not be closed by netd
bulkhead network create named >/dev/null && bulkhead run --rm --network named busybox true
bulkhead run -d --name named --network named busybox sleep 1000 >/dev/null
check "a container of a network has a worker for its names, and one that ended left another" eventually all_run dns closer
for name in dns closer; do
    check "$name can write to no memory of its service's" forge shared $name
    confined $name
    check "descriptors and bytes that nobody asked for are closed: from $name" forge worker $name
done
bulkhead rm -f named >/dev/null && bulkhead network rm named >/dev/null

# a container with more in it than pipes hold: its copiers wait, one to be read from, one to be written to
bulkhead run -d --name files --network none busybox sh -c 'dd if=/dev/zero of=/big bs=1M count=32 && sleep 1000' >/dev/null
check "a container has its files" eventually bulkhead exec files test -s /big
check "top does what its row says and nothing else" breach caught top "$bulkhead" top files
entered+=(top)
mkfifo "$WORK/out.pipe" "$WORK/in.pipe"
exec 4<>"$WORK/out.pipe" 5<>"$WORK/in.pipe"
bulkhead cp files:/big - >&4 2>/dev/null &
copy=$!
check "a copier reads" eventually all_run copier-reader
confined copier-reader
check "a copier and the engine reach each other, and nobody else reaches it" breach matrix
check "descriptors and bytes that nobody asked for are closed: from copier-reader" forge worker copier-reader
kill $copy 2>/dev/null
wait $copy 2>/dev/null
tar -C "$WORK" -cf - busybox.tar | head -c 4096 >&5
bulkhead cp - files:/ <&5 2>/dev/null &
copy=$!
check "a copier writes" eventually all_run copier
confined copier
check "descriptors and bytes that nobody asked for are closed: from copier" forge worker copier
kill $copy 2>/dev/null
wait $copy 2>/dev/null
bulkhead rm -f files >/dev/null

if breach rows | grep -qx monitor; then # under a sanitizer it has none
    for chapter in $CHAPTERS; do
        check "a monitor does what its row says and nothing else: $chapter" breach monitors $chapter
    done
    entered+=(monitor)
fi
bulkhead run -d --name watched --network none busybox sleep 1000 >/dev/null
check "descriptors and bytes that nobody asked for are closed: from monitor" forge worker monitor
bulkhead rm -f watched >/dev/null
check "all are served" eventually bulkhead run --rm --network none busybox true
check "all that have a row were entered, here or in sandboxes.sh" breach entered "${entered[@]}" api engine store fetcher dialer extractor policyd executor netd
check "nothing is left" nothing_left
