# SPDX-License-Identifier: Apache-2.0
#
# What breach tests share: an engine built with BH_BREACH, and the broker that its processes call. Sourced after system.sh.

export BREACH_FOLDER=$WORK/breach BREACH_BIN=$BIN BREACH_SOURCE=$ROOT
export BREACH_FILES="$ENGINE/state/lock $ENGINE/state/policyd/audit.log $ENGINE/state/engine/engine.db $ENGINE/state/store/blobs $ENGINE/policy.d/others.json"
export BREACH_STATE=$ENGINE/state BREACH_CGROUP=$CGROUP BREACH_DOOR=$SOCKET BREACH_RULES=$ENGINE/policy.d
breach() { python3 "$TESTS/breach/lib/breach.py" "$@"; }
forge() { python3 "$TESTS/breach/lib/forge.py" "$@"; }

# Two tenants that are not root: as $ALICE COMMAND...
ALICE=61001
BOB=61002
as() {
    local uid=$1
    shift
    setpriv --reuid "$uid" --regid "$uid" --clear-groups env HOME="$WORK" PATH="$WORK/client:$PATH" "$@"
}
# tenants_welcome : once the engine runs
tenants_welcome() {
    chmod 0755 "$ENGINE" "$WORK"
    install -D -m 0755 "$bulkhead" "$WORK/client/bulkhead"
    chmod 0666 "$SOCKET"
}

# broker_start : before the engine, so that everybody finds it. There is one at a time on a machine, at a path that the hook knows.
broker_start() {
    exec 5</run && flock -w 900 5 || { echo "not ok - another breach test runs on this machine, and does not end"; exit 1; }
    mkdir -p "$BREACH_FOLDER"
    echo secret >"$BREACH_FOLDER/secret"
    chmod 0600 "$BREACH_FOLDER/secret"
    echo known >"$BREACH_FOLDER/known"
    mkdir -m 1777 "$BREACH_FOLDER/open"
    mkfifo "$WORK/broker.pipe"
    exec 6<>"$WORK/broker.pipe"
    python3 "$TESTS/breach/lib/broker.py" "$BREACH_FOLDER" <"$WORK/broker.pipe" >"$WORK/broker.log" 2>&1 6>&- 7>&- &
    export BREACH_BROKER=$!
    at_end "kill $BREACH_BROKER"
    disown
    eventually test -S "$BREACH_FOLDER/broker"
}
