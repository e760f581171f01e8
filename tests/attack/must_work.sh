#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What looks odd and is honest must go on working: seen from inside of a running container.
source "$(dirname "$0")/../lib/system.sh"
source "$(dirname "$0")/lib/attack.sh"
attack_start
python3 "$ATTACK/odd_tree.py" "$WORK/busybox.tar" "$WORK/odd.tar" || { echo "not ok - the layers can be made"; exit 1; }

loads() {
    matches "$(bulkhead load -i "$WORK/odd.tar")" "Loaded image: odd:1"
    matches "$(bulkhead load -i "$WORK/odd.tar.nobody")" "Loaded image: odd:nobody"
    bulkhead run -d --name odd --network none odd:1 sleep 1000
}
# inside COMMAND WANTED : what the command says in the running container's root, by its own busybox
inside() { equal "$(bulkhead run --rm --network none odd:1 sh -c "$1")" "$2" "$1"; }
status() { inside "stat -c '%A %u:%g' '$1'" "$2"; }
hides_in_a_running_container() {
    local pid
    pid=$(bulkhead inspect -f '{{.State.Pid}}' odd)
    equal "$(ls "/proc/$pid/root/hidden")" above
    [ ! -e "/proc/$pid/root/gone" ] && [ ! -e "/proc/$pid/root/gone-folder" ]
}
nothing_more() {
    inside 'ls /hidden' above
    inside 'ls -a / | grep -c "^\.wh\."; ls -a /hidden | grep -c "^\.wh\."' $'0\n0'
}
written_over() {
    # copy-up of everything that is odd, and what is hidden stays hidden
    inside 'echo more >>/data/file && cat /data/absolute /data/file | sort -u | tr "\n" " "; chown 5:6 /nobody /setuid; rm -r /hidden /twice; mkdir /hidden; ls /hidden
        mv /sticky /moved; stat -c "%A %u:%g" /moved /nobody' $'content more drwxrwxrwt 0:0\n-rw-r--r-- 5:6'
}
hard_links_are_one_file() {
    inside 'stat -c %h /data/file; stat -c %i /data/file /data/absolute /data/relative /data/dotted | sort -u | wc -l' $'4\n1'
}
debian_byte_for_byte() { # a real root file system: what busybox's own tar makes of it, and what we do
    local folder=$WORK/debian
    mkdir -p "$folder/bin"
    cp -a /bin/busybox "$folder/bin/"
    ln "$folder/bin/busybox" "$folder/bin/sh"
    mkdir -p "$folder/proc" "$folder/sys" "$folder/dev" "$folder/usr/share" "$folder/etc"
    cp -a /etc/alternatives /etc/ssl "$folder/etc/"
    cp -a /usr/share/zoneinfo "$folder/usr/share/"
    tar -C "$folder" --format=gnu --sort=name -cf "$WORK/debian-layer.tar" .
    python3 "$TESTS/lib/images.py" archive "$WORK/debian.tar" odd:debian "$WORK/debian-layer.tar"
    bulkhead load -i "$WORK/debian.tar"
    local list='find etc/ssl etc/alternatives usr/share -type f | sort | xargs sha256sum; find etc/ssl etc/alternatives usr/share -type l | sort | while read l; do readlink "$l"; done'
    bulkhead run --rm --network none odd:debian /bin/busybox sh -c "cd / && alias find='busybox find' sort='busybox sort' xargs='busybox xargs' readlink='busybox readlink'
        busybox find etc/ssl etc/alternatives usr/share -type f | busybox sort | busybox xargs busybox sha256sum; busybox find etc/ssl etc/alternatives usr/share -type l | busybox sort | while read l; do busybox readlink \"\$l\"; done" >"$WORK/inside"
    (cd "$folder" && LC_ALL=C bash -c "${list//sort/LC_ALL=C sort}") >"$WORK/there"
    [ "$(wc -l <"$WORK/there")" -gt 500 ]
    cmp "$WORK/inside" "$WORK/there"
}

check "an image of oddities is loaded" loads
check "var/run is a link to /run" inside 'readlink /var/run; echo x >/var/run/x && cat /run/x; readlink /var/lock' $'/run\nx\n../run/lock'
check "hard links with absolute, relative and dotted targets" hard_links_are_one_file
check "missing parents are made" inside 'cat /missing/parents/are/made; stat -c "%A %u:%g" /missing' $'yes\ndrwxr-xr-x 0:0'
check "device nodes are there and mean nothing" inside 'stat -c "%F" /devices/sda /devices/null; cat /devices/sda 2>/dev/null || echo refused; (echo x >/devices/null) 2>/dev/null || echo refused' \
    $'block special file\ncharacter special file\nrefused\nrefused'
check "a FIFO in an image" inside 'stat -c %F /devices/pipe' fifo
check "GNU and PAX names in one archive" inside 'cat /long/a*/b*/gnu /long/a*/b*/pax' $'gnu\npax'
check "a GNU long link" inside 'readlink /long/to' /data/file
check "uid 65534" status /nobody '-rw-r--r-- 65534:65534'
check "owners and permissions" inside 'stat -c "%a %u:%g" /data /data/file' $'755 33:33\n640 1000:1001'
check "a folder that comes twice: the last word counts, its files stay" inside 'stat -c "%a %u" /twice; cat /twice/kept' $'755 7\nkept'
check "a sticky folder" status /sticky 'drwxrwxrwt 0:0'
check "a setgid folder hands its group down" inside 'stat -c "%A %u:%g" /setgid; mkdir /setgid/new; stat -c %g /setgid/new' $'drwxrwsr-x 0:50\n50'
check "a setuid file" status /setuid '-rwsr-xr-x 0:0'
check "names in UTF-8" inside 'cat /näme-日本-🚢' utf-8
check "dots in names" inside 'cat /dotted/name' dots
check "times, and those before 1970" inside 'stat -c %Y /time /before-1970' $'1700000001\n-256'
check "numbers with spaces" inside 'cat /octal-with-spaces' 12345
check "opaque whiteouts hide what lies below" nothing_more
check "whiteouts hide in a container that runs" hides_in_a_running_container
check "a file that became a folder, a folder that became a link" inside 'ls /replaced; ls /to-link/file; readlink /to-link' $'inside\n/to-link/file\ndata'
check "what is odd can be written over" written_over
check "an image for uid 65534" equal "$(bulkhead run --rm --network none odd:nobody id -u 2>&1)" 65534
check "a real root file system, byte for byte" debian_byte_for_byte
check "and nothing is left" attacked true
