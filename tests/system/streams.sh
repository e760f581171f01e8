#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Streams between clients and a container: several at once, detaching, half-closes, WebSockets, and a gigabyte of everything.
# slow
source "$(dirname "$0")/../lib/system.sh"
# attached at any moment: the log up to then and the stream from then on are all that was said, and nothing twice
log_and_stream_fit() {
    local i
    for i in 1 2 3 4 5 6 7 8; do
        docker run -d --name talks --network none busybox sh -c 'i=0; while [ $i -lt 3000 ]; do echo $i; i=$((i + 1)); done; exec sleep 1000' >/dev/null
        sleep "0.0$i"
        python3 - "$SOCKET" >"$WORK/said" <<'END'
import socket, sys
engine = socket.socket(socket.AF_UNIX)
engine.connect(sys.argv[1])
engine.sendall(b"POST /containers/talks/attach?logs=1&stream=1&stdout=1&stderr=1 HTTP/1.1\r\nHost: d\r\nUpgrade: tcp\r\n\r\n")
said = b""
engine.settimeout(30)
while not said.endswith(b"2999\n"):
    said += engine.recv(65536)
engine.settimeout(0.2)
try:
    said += engine.recv(65536)  # nothing comes once more
except TimeoutError:
    pass
said = said[said.index(b"\r\n\r\n") + 4:]
while said:
    size = int.from_bytes(said[4:8], "big")
    sys.stdout.buffer.write(said[8:8 + size])
    said = said[8 + size:]
END
        cmp "$WORK/said" <(seq 0 2999)
        docker rm -f talks >/dev/null
    done
}

system_start
system_load

gone() { bulkhead rm -f "$@" >/dev/null; }
touch_inside() { touch "/proc/$(bulkhead inspect -f '{{.State.Pid}}' "$1")/root$2"; }
waits_for_go='while [ ! -e /go ]; do sleep 0.02; done'

several_clients() {
    $client run -d --name many --network none "$IMAGE" sh -c "echo before; $waits_for_go; echo after; exit 3" >/dev/null
    local i pids=()
    for i in 1 2 3; do
        (
            status=0
            $client attach --no-stdin many >"$WORK/client$i" || status=$?
            echo "exit $status" >>"$WORK/client$i"
        ) &
        pids+=($!)
    done
    eventually attached many 3
    touch_inside many /go
    wait "${pids[@]}"
    for i in 1 2 3; do
        equal "$(cat "$WORK/client$i")" $'after\nexit 3' "client $i"
    done
    gone many
}
# attached NAME N : its monitor holds the pipes of N clients
attached() {
    local pid
    pid=$(awk '/^PPid/ {print $2}' "/proc/$(bulkhead inspect -f '{{.State.Pid}}' "$1")/status")
    [ "$(ls -l "/proc/$pid/fd" | grep -c 'pipe:')" -ge $((2 + 2 * $2)) ]
}
detaches() { # KEYS TYPED
    $client run -dit --name loose --network none "$IMAGE" cat >/dev/null
    python3 - "$client" "$1" "$2" <<'END'
import os, pty, select, sys, time
pid, fd = pty.fork()
if pid == 0:
    flags = ["--detach-keys", sys.argv[2]] if sys.argv[2] else []
    os.execvp(sys.argv[1], [sys.argv[1], "attach", *flags, "loose"])
def until(text):
    seen, end = b"", time.time() + 20
    while text not in seen:
        assert time.time() < end, seen
        if select.select([fd], [], [], 1)[0]:
            seen += os.read(fd, 4096)
os.write(fd, b"hello\n")
until(b"hello\r\nhello\r\n")
os.write(fd, eval(f"b'{sys.argv[3]}'"))
_, status = os.waitpid(pid, 0)
assert os.WIFEXITED(status), status  # docker calls it an error, we do not
END
    equal "$(state_of loose)" running
    gone loose
}
# keys that reach the engine are told of (docker's own client keeps them to itself); hanging up is not, as with Docker
detaching_is_told() {
    local from
    docker run -dit --name loose --network none "$IMAGE" cat >/dev/null
    from=$(date +%s.%N)
    python3 - "$SOCKET" <<'END'
import socket, sys
def attach(typed):
    s = socket.socket(socket.AF_UNIX)
    s.connect(sys.argv[1])
    s.sendall(b"POST /v1.47/containers/loose/attach?stream=1&stdin=1&stdout=1&stderr=1 HTTP/1.1\r\nHost: d\r\n"
              b"Connection: Upgrade\r\nUpgrade: tcp\r\n\r\nhello\n" + typed)
    seen = b""
    while piece := s.recv(4096):
        seen += piece
        if not typed and seen.endswith(b"hello\r\nhello\r\n"):
            break
    s.close()
attach(b"")
attach(b"\x10\x11")
END
    equal "$(docker events --since "$from" --until "$(date +%s.%N)" --format '{{.Action}} {{.Actor.Attributes.name}}' | paste -sd ' ')" \
        "attach loose attach loose detach loose"
    gone loose
}
half_close() {
    equal "$(printf 'a\nb\n' | run_in -i -- sh -c 'wc -l; echo done')" $'2\ndone'
}
both_ways() {
    head -c 1073741824 /dev/urandom >"$WORK/gigabyte"
    run_in -i -- cat <"$WORK/gigabyte" | cmp - "$WORK/gigabyte"
    rm "$WORK/gigabyte"
}
a_gigabyte_of_log() {
    bulkhead run -d --name chatty --network none --log-opt max-size=10m --log-opt max-file=3 "$IMAGE" \
        sh -c 'yes 0123456789012345678901234567890123456789012345678901234567890123 | head -c 1073741825; echo; echo the end' >/dev/null
    equal "$(bulkhead wait chatty)" 0
    equal "$(bulkhead logs --tail 1 chatty)" "the end"
    local folder=$ENGINE/state/logs/
    [ "$(du -sm "$folder" | cut -f1)" -le 33 ]
    gone chatty
}
has_logged() { bulkhead logs "$1" | grep -q "$2"; }
websocket() {
    bulkhead run -di --name socket --network none "$IMAGE" sh -c 'echo early; while read -r line; do echo "got $line"; echo "err $line" >&2; done; echo end' >/dev/null
    eventually has_logged socket early
    /usr/bin/python3 - "$SOCKET" <<'END' # Debian's, which has its module
import socket, sys
import websocket
def connect(query):
    raw = socket.socket(socket.AF_UNIX)
    raw.connect(sys.argv[1])
    raw.settimeout(20)
    return websocket.create_connection("ws://localhost/v1.41/containers/socket/attach/ws?" + query, socket=raw)
ws = connect("stream=1&stdin=1&stdout=1&stderr=1&logs=1")
assert ws.recv() == b"early\n"
ws.send("one\n")
assert sorted(ws.recv() for _ in range(2)) == [b"err one\n", b"got one\n"]
ws.ping("are you there")
opcode, frame = ws.recv_data_frame(control_frame=True)
assert (opcode, frame.data) == (websocket.ABNF.OPCODE_PONG, b"are you there"), frame
long = "x" * 100000
ws.send(long + "\n")
got = b""
while len(got) < 2 * (len(long) + 5):
    got += ws.recv()
assert got.count(b"x") == 200000
watcher = connect("stream=1&stdout=1")
ws.send_binary(b"two\n")
assert watcher.recv() == b"got two\n"
ws.close()
watcher.close()
raw = socket.socket(socket.AF_UNIX)
raw.connect(sys.argv[1])
raw.sendall(b"GET /containers/socket/attach/ws?stream=1 HTTP/1.1\r\nHost: x\r\n\r\n")
assert raw.recv(100).startswith(b"HTTP/1.1 400 "), "not a WebSocket"
END
    equal "$(state_of socket)" running
    gone socket
}
websocket_breaks_the_rules() {
    bulkhead run -di --name socket --network none "$IMAGE" cat >/dev/null
    python3 - "$SOCKET" <<'END'
import socket, sys
raw = socket.socket(socket.AF_UNIX)
raw.connect(sys.argv[1])
raw.settimeout(20)
raw.sendall(b"GET /containers/socket/attach/ws?stream=1&stdin=1&stdout=1 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n\x81\x05Hello" + b"pipelined" * 10)
seen = b""
while chunk := raw.recv(4096):
    seen += chunk
head, _, frames = seen.partition(b"\r\n\r\n")
assert b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in head, head
assert frames == b"\x88\x02\x03\xea", frames
END
    equal "$(state_of socket)" running
    gone socket
}

for client in $CLIENTS; do
    check "$client: three clients at once" several_clients
    check "$client: the usual keys detach" detaches "" '\x10\x11'
    check "$client: keys of one's own detach" detaches "ctrl-a,x" '\x01x'
    check "$client: the end of stdin leaves the output open" half_close
done
check "detach keys are told of" detaching_is_told
check "a WebSocket: logs, both ways, ping, long messages, several at once" websocket
check "a WebSocket that breaks the rules is closed, and its container goes on" websocket_breaks_the_rules
client=docker
check "what the log has and what comes are all, and nothing twice" log_and_stream_fit
check "a gigabyte in and out at once" both_ways
check "a gigabyte of lines: rotated, and the last one is there" a_gigabyte_of_log
check "nothing is left" nothing_left
