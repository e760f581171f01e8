#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The socket handed over by a service manager (LISTEN_FDS), readiness told to it (NOTIFY_SOCKET), and a second engine on the same state.
source "$(dirname "$0")/../lib/system.sh"

# Plays systemd: listens, starts the engine with the socket at descriptor 3, waits for READY=1.
cat >"$WORK/activate.py" <<'PYTHON'
import os, socket, sys
home, program, *flags = sys.argv[1:]
listener = socket.socket(socket.AF_UNIX)
listener.bind(home + "/passed.sock")
listener.listen(16)
notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
notify.bind(home + "/notify.sock")
notify.settimeout(20)
pid = os.fork()
if pid == 0:
    os.setsid()
    os.dup2(listener.fileno(), 3)
    os.set_inheritable(3, True)
    log = os.open(home + "/engine.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    null = os.open("/dev/null", os.O_RDWR)
    os.dup2(null, 0), os.dup2(log, 1), os.dup2(log, 2)
    os.execve(program, [program, *flags], {"LISTEN_FDS": "1", "LISTEN_PID": str(os.getpid()), "NOTIFY_SOCKET": home + "/notify.sock"})
with open(home + "/engine.pid", "w") as file:
    file.write(f"{pid}\n")
print(notify.recv(4096).decode())
PYTHON

flags() {
    printf '%s\n' --state "$ENGINE/state" --libexec "$BIN" --policy "$ENGINE/policy.d" --certs "$ENGINE/certs.d" \
        --cgroup_parent "$CGROUP" --socket "$ENGINE/own.sock"
}
starts_on_a_passed_socket() {
    mkdir -p "$ENGINE/policy.d" "$ENGINE/certs.d"
    mapfile -t arguments < <(flags)
    equal "$(python3 "$WORK/activate.py" "$ENGINE" "$BIN/bulkheadd" "${arguments[@]}")" READY=1
    DOCKER_HOST=unix://$ENGINE/passed.sock bulkhead version
    [ ! -e "$ENGINE/own.sock" ]
}
second_engine_is_refused() {
    mapfile -t arguments < <(flags)
    exits 1 timeout 10 "$BIN/bulkheadd" "${arguments[@]}"
    matches "$(cat "$WORK/err")" "another engine already runs on this state folder"
    DOCKER_HOST=unix://$ENGINE/passed.sock bulkhead version
}
stops_and_leaves_the_socket() {
    engine_halt "$ENGINE"
    [ -S "$ENGINE/passed.sock" ]
}

at_end "engine_stop '$ENGINE' '$CGROUP' '$bulkhead'"
check "the engine serves the socket it was passed, and says READY" starts_on_a_passed_socket
check "a second engine on the same state is refused in one line" second_engine_is_refused
check "it stops and leaves the passed socket alone" stops_and_leaves_the_socket
