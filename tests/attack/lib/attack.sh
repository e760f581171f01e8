# SPDX-License-Identifier: Apache-2.0
#
# What attacks share: a private engine with the busybox image in it, canary files, a listener that nobody may reach, and the one
# oracle by which every attack is judged. Sourced after system.sh.

CANARY=$WORK/canary
CANARY_SAYS="alive, and unread" # which is to be found nowhere else
ATTACK=$TESTS/attack/lib

attack_start() { # [FLAG...]
    mkdir -p "$CANARY"
    echo "$CANARY_SAYS" >"$CANARY/bird"
    chmod 0600 "$CANARY/bird"
    : >"$WORK/honeypot.log"
    mkfifo "$WORK/honeypot.pipe"
    exec 9<>"$WORK/honeypot.pipe"
    python3 "$ATTACK/honeypot.py" "$WORK/honeypot.log" <"$WORK/honeypot.pipe" >"$WORK/honeypot.port" 7>&- 8>&- 9>&- &
    at_end "kill $!"
    disown
    eventually test -s "$WORK/honeypot.port"
    HONEYPOT=$(cat "$WORK/honeypot.port")
    mkdir "$WORK/memory"
    python3 "$ATTACK/memory.py" "$BIN" "$WORK/memory" <"$WORK/honeypot.pipe" 7>&- 8>&- 9>&- &
    at_end "kill $!"
    disown
    system_start "$@"
    system_load
    outside >"$WORK/outside"
    stored >"$WORK/stored"
}

# escape_image PROGRAM : attack:escape, which is busybox with that program as /escape, as a setuid program, and with Docker's fourteen as file capabilities
escape_image() {
    python3 - "$ATTACK" "$WORK" "$1" <<'END_OF_IMAGE' || return 1
import sys
sys.path.insert(0, sys.argv[1])
import images
from tar import END, entry, pax, record
work, program = sys.argv[2], open(sys.argv[3], "rb").read()
capabilities = b"\1\0\0\2" + bytes.fromhex("fb2504a8") + b"\0" * 12  # effective; with more than the bounding set it could not be executed
layer = entry("escape", content=program, mode=0o755) + entry("escape-setuid", content=program, mode=0o4755) + \
    pax(record("SCHILY.xattr.security.capability", capabilities)) + entry("escape-capable", content=program, mode=0o755)
images.image(work + "/escape.tar", "attack:escape", [images.base_layer(work + "/busybox.tar"), layer + END])
END_OF_IMAGE
    bulkhead load -i "$WORK/escape.tar" >/dev/null
}

# What an attack may not change: our canary, the host's accounts and its most abused setting ...
outside() {
    find "$CANARY" -printf '%P %y %m %U:%G %s %l\n' | sort
    cat "$CANARY/bird" /etc/passwd /etc/shadow /etc/group /proc/sys/kernel/core_pattern | sha256sum
    find /dev /proc/sys/kernel/core_pattern -maxdepth 1 -name 'core*' -o -maxdepth 1 -name 'bulkhead*' | sort
}
# ... and what lies in the store. (An interrupted blob stays in partial/, hashed so far, for the next pull to go on; it ages out.)
stored() { find "$ENGINE/state/store" -mindepth 1 ! -path '*/partial/*' -printf '%P %y\n' 2>/dev/null | sort; }
as_stored() { cmp -s <(stored) "$WORK/stored"; }

# survived : nothing outside has changed, nobody reached the honeypot, nothing is left, and an honest request succeeds
survived() {
    cmp <(outside) "$WORK/outside"
    equal "$(cat "$WORK/honeypot.log")" "" "connections to the honeypot"
    nothing_left
    eventually as_stored || { diff <(stored) "$WORK/stored"; return 1; }
    equal "$(bulkhead run --rm --network none "$IMAGE" echo works)" works "the next honest container"
}

# attack NAME FUNCTION... : the check is what the function says, and the oracle
attack() {
    local name=$1
    shift
    check "$name" attacked "$@"
}
attacked() {
    local status
    memory_begins
    whole status "$@"
    memory_kept
    clean_up_images
    survived
    return "$status"
}
# memory_kept : all of the engine's processes together never held more than this since memory_begins, whatever they were sent
MEMORY_CEILING_KIB=$((512 * 1024))
memory_begins() { : >"$WORK/memory/reset"; }
memory_looked() { [ ! -e "$WORK/memory/look" ]; }
memory_kept() {
    local total name largest
    : >"$WORK/memory/look"
    eventually memory_looked
    read -r total name largest <"$WORK/memory/peak"
    echo "${total} ${name} ${largest}" >>"$WORK/memory/peaks"
    [ "$total" -le "$MEMORY_CEILING_KIB" ] ||
        { echo "the engine's processes held $total KiB, $name $largest of it; at most $MEMORY_CEILING_KIB are allowed"; return 1; }
}
rm_containers() {
    local left
    left=$(bulkhead ps -aq)
    [ -z "$left" ] || bulkhead rm -f $left >/dev/null
}
clean_up_images() {
    local left
    rm_containers
    left=$(bulkhead images --format '{{.Repository}}:{{.Tag}} {{.ID}}' | awk '$1 != "busybox:latest" { print ($1 ~ /<none>/) ? $2 : $1 }')
    [ -z "$left" ] || bulkhead rmi -f $left >/dev/null
}

# refused PATTERN COMMAND... : fails with one clear line
refused() {
    local pattern=$1 status=0
    shift
    timeout 60 "$@" >"$WORK/out" 2>"$WORK/err" </dev/null || status=$?
    [ "$status" != 0 ] && [ "$status" != 124 ] && [ "$status" -lt 128 ] || { echo "exit status $status of $*"; cat "$WORK/out" "$WORK/err"; return 1; }
    one_line "$WORK/err"
    LC_ALL=C.UTF-8 matches "$(cat "$WORK/err")" "$pattern"
    ! grep -qP '[\x00-\x08\x0b-\x1f\x7f]' "$WORK/err" || { echo "control characters in the error"; return 1; }
}
