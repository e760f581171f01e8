#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Root in a default container tries to get out: everything that lib/escape/ knows, first on the host itself, where it must succeed
# (or the attempt would prove nothing), then in a container, an exec, and a container whose programs may gain privileges.
# alone
source "$(dirname "$0")/../lib/system.sh"
source "$(dirname "$0")/lib/attack.sh"

gcc -std=gnu17 -D_GNU_SOURCE -Wall -Wextra -Werror -O1 -static -o "$WORK/escape" "$ATTACK"/escape/*.c || { echo "not ok - the attempts can be compiled"; exit 1; }
attack_start
escape_image "$WORK/escape" || { echo "not ok - the image can be made"; exit 1; }
clean_up_images() { rm_containers; }
stored >"$WORK/stored"

# ---- what there is to attack outside ---------------------------------------------------------------

sleep 100000 7>&- 8>&- 9>&- & # with job control it leads a group
VICTIM=$!
disown
at_end "kill $VICTIM"
python3 "$ATTACK/abstract.py" "escape-$$" "$WORK/port" <"$WORK/honeypot.pipe" 7>&- 8>&- 9>&- &
at_end "kill $!"
disown
eventually test -s "$WORK/port"
SHM_ID=$(python3 -c 'import ctypes; print(ctypes.CDLL(None).shmget(int("'$$'"), 4096, 0o1600))')
at_end "ipcrm -m $SHM_ID"
truncate -s 1M "$WORK/disk"
DISK=$(losetup --find --show "$WORK/disk")
at_end "losetup -d $DISK"
targets=("ESCAPE_PID=$VICTIM" "ESCAPE_SOCKET=escape-$$" "ESCAPE_PORT=$(cat "$WORK/port")" "ESCAPE_SHM=$$" "ESCAPE_CANARY=$CANARY/bird"
    "ESCAPE_DISK=$(stat -c '%Hr:%Lr' "$DISK")")
env ESCAPE_OUTSIDE=1 "${targets[@]}" "$WORK/escape" >"$WORK/on-host"

in_options=(-e ESCAPE_OUTSIDE=0)
for target in "${targets[@]}"; do in_options+=(-e "$target"); done
# attempts OPTION... : in a container with these options
attempts() { attempts_of /escape "$@"; }
attempts_of() { # PROGRAM OPTION...
    local program=$1
    shift
    timeout 100 bulkhead run --rm --network none "${in_options[@]}" "$@" attack:escape "$program"
}
attempts >"$WORK/in-container"

# has_resource : whether root itself may raise its limits here, which root of a virtual machine's jail may not
has_resource() { [ $((0x$(awk '/CapBnd/ { print $2 }' /proc/self/status) >> 24 & 1)) = 1 ]; }
# is_possible NAME RESULT : the control. What this kernel does not have at all ("Function not implemented", no file, an empty folder since
# nothing is mounted there) no root of it can do.
is_possible() {
    case $2 in
        succeeded | "Function not implemented" | "No such file or directory") return 0 ;;
        "No data available") [[ $1 == "file: list "* ]] && return 0 ;;
        "Operation not permitted" | "Permission denied") case $1 in *"hard limit" | *"OOM score"*) ! has_resource && return 0 ;; esac ;;
    esac
    echo "on the host: $2"
    return 1
}
refused_inside() { # NAME ON-HOST IN-CONTAINER
    is_possible "$1" "$2"
    [ -n "$3" ] && [ "$3" != succeeded ] || { echo "in a container: ${3:-no answer}"; return 1; }
}
while IFS=$'\t' read -r name result <&6; do
    class "${name%%: *} (from inside)"
    check "$name" refused_inside "$name" "$result" "$(awk -F'\t' -v name="$name" '$1 == name { print $2 }' "$WORK/in-container")"
done 6<"$WORK/on-host"

same_as_the_container() { cmp "$WORK/in-container" <("$@"); }
in_an_exec() {
    bulkhead run -d --name joined --network none attack:escape sleep 1000 >/dev/null
    timeout 100 bulkhead exec "${in_options[@]}" joined /escape
}
all_refused() { # OPTION... : perhaps for another reason
    attempts "$@" >"$WORK/all-refused"
    ! grep -P '\tsucceeded$' "$WORK/all-refused" || return 1
    equal "$(wc -l <"$WORK/all-refused")" "$(wc -l <"$WORK/on-host")"
}
program_gains_nothing() { # PROGRAM : with no_new_privs it stays who it was, and without them it is root of its container at most
    local options=() program=$1
    for options in "-u 1000:1000" "-u 1000:1000 --security-opt no-new-privileges=false"; do
        attempts_of "$program" $options >"$WORK/gained"
        ! grep -P '\tsucceeded$' "$WORK/gained" || return 1
        equal "$(wc -l <"$WORK/gained")" "$(wc -l <"$WORK/on-host")"
    done
}
class "confinement"
attack "all of it leaves the host as it was" true
attack "an exec is refused the same" same_as_the_container in_an_exec
attack "so is a container without no_new_privs" same_as_the_container attempts --security-opt no-new-privileges=false
attack "one with an init is refused all of it" all_refused --init
attack "so is a user who is not root" all_refused -u 1000:1000
attack "and one who executes a setuid program" program_gains_nothing /escape-setuid
attack "or one with file capabilities" program_gains_nothing /escape-capable

# ---- what a container is -----------------------------------------------------------------------------

inside() { timeout 60 bulkhead run --rm --network none "${OPTIONS[@]}" attack:escape sh -c "$1"; }
OPTIONS=()
status_of() { inside "sed -n 's/^$1:[ \t]*//p' /proc/self/status"; }
has_exactly() { # OPTIONS CAPABILITIES
    local field
    OPTIONS=($1)
    for field in CapPrm CapEff CapBnd; do equal "$(status_of $field)" "$2" "$field"; done
    for field in CapInh CapAmb; do equal "$(status_of $field)" 0000000000000000 $field; done
    equal "$(status_of Seccomp)" 2 "seccomp"
}
user_has_none() {
    OPTIONS=(-u 1000)
    equal "$(status_of CapPrm) $(status_of CapEff) $(status_of CapInh) $(status_of CapAmb)" "$(printf '%016d %016d %016d %016d' 0 0 0 0)"
}
own_namespaces() { # not one of them is the host's, nor a neighbour's
    local kind neighbour host here
    bulkhead run -d --name neighbour --network none attack:escape sleep 1000 >/dev/null
    for kind in user mnt pid net ipc uts cgroup; do
        host=$(readlink /proc/self/ns/$kind)
        here=$(inside "readlink /proc/self/ns/$kind")
        neighbour=$(bulkhead exec neighbour readlink /proc/self/ns/$kind)
        matches "$here" "^$kind:"
        [ "$here" != "$host" ] && [ "$here" != "$neighbour" ] || { echo "$kind is shared"; return 1; }
    done
}
exact_descriptors() { # COMMAND... : what a program has when it starts: its three streams (ls has opened the folder, too)
    equal "$("$@" ls /proc/self/fd | tr '\n' ' ')" "0 1 2 3 "
}
run_ls() { timeout 60 bulkhead run --rm --network none "${OPTIONS[@]}" attack:escape "$@"; }
exec_ls() {
    bulkhead run -d --name joined --network none attack:escape sleep 1000 >/dev/null
    timeout 60 bulkhead exec joined "$@"
}
init_holds_nothing() { # whose program is ours
    bulkhead run -d --init --name joined --network none attack:escape sleep 1000 >/dev/null
    local pid
    pid=$(bulkhead inspect -f '{{.State.Pid}}' joined)
    find "/proc/$(pgrep -P "$pid")/fd" -type l >"$WORK/held"
    [ "$(wc -l <"$WORK/held")" = 3 ] # its child's
    find "/proc/$pid/fd" -type l -printf '%l\n' >"$WORK/held"
    ! grep -v -e '^pipe:' -e '^/dev/null$' -e '^anon_inode:\[signalfd\]$' "$WORK/held" || return 1
    # nor can one of the container read or write in it
    ! bulkhead exec joined ls -l /proc/1/fd /proc/1/exe /proc/1/root/ || return 1
}
not_writable() { # OPTIONS : a program of ours that runs inside cannot be written through its /proc entry
    OPTIONS=($1)
    inside 'for exe in /proc/[0-9]*/exe; do
        case $(readlink $exe) in /bin/*) continue;; esac
        if (: >>$exe) 2>/dev/null; then echo "written: $exe"; fi; done' >"$WORK/written"
    equal "$(cat "$WORK/written")" ""
}
class "capabilities"
attack "Docker's fourteen, in each set that they belong to" has_exactly "" 00000000a80425fb
attack "none where all are dropped" has_exactly "--cap-drop ALL" 0000000000000000
attack "one where one is added" has_exactly "--cap-drop ALL --cap-add NET_BIND_SERVICE" 0000000000000400
attack "the same without no_new_privs" has_exactly "--security-opt no-new-privileges=false" 00000000a80425fb
attack "a user who is not root has none" user_has_none
class "namespaces"
attack "each has its own of every kind" own_namespaces
class "descriptors"
attack "a container starts with three" exact_descriptors run_ls
attack "so does an exec" exact_descriptors exec_ls
OPTIONS=(--init)
attack "so does the child of an init" exact_descriptors run_ls
attack "an init holds nothing of the host's" init_holds_nothing
attack "the init's program cannot be written" not_writable --init
