# SPDX-License-Identifier: Apache-2.0
#
# Named checks for tests written in bash. A test file sources this, writes functions, and runs each by
#
#     check "what must be true" function [argument...]
#
# A check passes if its function (run in a subshell with `set -e`, its output kept back) succeeds within CHECK_SECONDS. The file ends
# by itself with `N passed, N failed` and the exit status that follows from it; whatever it made below $WORK is removed.
set -u

CHECK_SECONDS=${CHECK_SECONDS:-120}
TESTS=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
ROOT=$(cd "$TESTS/.." && pwd)
BIN=${BULKHEAD_BIN:-$ROOT/build/tests/bin}
WORK=$(mktemp -d /tmp/bulkhead-test.XXXXXX)
chmod 0755 "$WORK"
passed=0
failed=0

mkfifo "$WORK/status"
exec 7<>"$WORK/status"
set -m # each check is a process group of its own, so that one that hangs can be ended whole

# class NAME : what the checks from here on belong to. At the end, each class is listed with the number of its checks.
declare -A classes=()
class() { current_class=$1; }
current_class=

# Functions to call at the end, last one first. They run whatever happened.
cleanups=()
at_end() { cleanups=("$*" "${cleanups[@]}"); }

finish() {
    local status=$? function
    trap - EXIT INT TERM
    for function in "${cleanups[@]}"; do
        eval "$function" >/dev/null 2>&1 </dev/null
    done
    rm -rf --one-file-system "$WORK"
    if [ "$status" != 0 ]; then
        echo "not ok - $(basename "$0") ran to its end (status $status)"
        failed=$((failed + 1))
    fi
    local name
    for name in "${!classes[@]}"; do
        printf 'class %s: %d\n' "$name" "${classes[$name]}"
    done | sort
    printf '%d passed, %d failed\n' "$passed" "$failed"
    # a status of its own: a bare exit in a trap repeats the one from before the trap
    if [ "$failed" = 0 ] && [ "$passed" -gt 0 ]; then exit 0; else exit 1; fi
}
trap finish EXIT
trap 'exit 130' INT TERM

check() {
    local name=$1 status pid
    shift
    [ -z "$current_class" ] || classes[$current_class]=$((${classes[$current_class]:-0} + 1))
    ( (set -e; "$@") >"$WORK/output" 2>&1 </dev/null 7>&-; echo $? >&7) &
    pid=$!
    if ! read -r -t "$CHECK_SECONDS" -u 7 status; then
        kill -KILL -- "-$pid"
        status="no end within $CHECK_SECONDS s"
    fi
    wait "$pid" 2>/dev/null
    if [ "$status" = 0 ]; then
        passed=$((passed + 1))
        echo "ok - $name"
    else
        failed=$((failed + 1))
        echo "not ok - $name ($status)"
        sed 's/^/    | /' "$WORK/output" | tail -40
    fi
}

# whole VARIABLE COMMAND... : runs it to its first failure, and goes on with its status in the variable. (Under `if`, `!`, `||`, `&&`
# and `until` bash passes over every failure in a function but its last command's, whatever `set -e` says.)
whole() {
    local -n _status=$1
    local errexit=+e
    [[ $- != *e* ]] || errexit=-e
    shift
    set +e
    (set -e; "$@")
    _status=$?
    set $errexit
}

# ---- what checks say -----------------------------------------------------------------------------

# equal ACTUAL EXPECTED [WHAT]
equal() {
    [ "$1" = "$2" ] || { printf '%s: got "%s", want "%s"\n' "${3:-value}" "$1" "$2"; return 1; }
}

# matches TEXT PATTERN : an extended regular expression
matches() {
    [[ $1 =~ $2 ]] || { printf 'got "%s", want a match of "%s"\n' "$1" "$2"; return 1; }
}

# exits STATUS COMMAND... : the command must end with that status. Its output goes to $WORK/out and $WORK/err.
exits() {
    local want=$1 got=0
    shift
    "$@" >"$WORK/out" 2>"$WORK/err" || got=$?
    [ "$got" = "$want" ] || { printf '%s: exit status %s, want %s\n' "$*" "$got" "$want"; cat "$WORK/out" "$WORK/err"; return 1; }
}

# one_line FILE : not empty and no second line
one_line() {
    equal "$(wc -l <"$1")" 1 "lines of $(cat "$1")"
}

# eventually COMMAND... : it must succeed within ten seconds
eventually() {
    local tries=0 status
    while :; do
        whole status "$@"
        [ "$status" != 0 ] || return 0
        tries=$((tries + 1))
        [ $tries -lt 200 ] || { echo "never true: $*"; return 1; }
        sleep 0.05
    done
}

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}
