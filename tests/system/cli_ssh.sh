#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# An engine on another host: bulkhead and docker over ssh, through a private sshd on this one.
source "$(dirname "$0")/../lib/system.sh"
system_start
system_load

PORT=$(free_port)
ssh_setup() {
    mkdir -p "$WORK/remote" "$WORK/local" /run/sshd
    ssh-keygen -q -t ed25519 -N '' -f "$WORK/host_key"
    ssh-keygen -q -t ed25519 -N '' -f "$WORK/user_key"
    cp "$WORK/user_key.pub" "$WORK/authorized_keys"
    # the far end knows the program by both names, and where its engine is
    ln -s "$BIN/bulkhead" "$WORK/remote/bulkhead"
    ln -s "$BIN/bulkhead" "$WORK/remote/docker"
    cat >"$WORK/sshd_config" <<END
Port $PORT
ListenAddress 127.0.0.1
HostKey $WORK/host_key
AuthorizedKeysFile $WORK/authorized_keys
StrictModes no
UsePAM no
PidFile none
PermitRootLogin yes
SetEnv PATH=$WORK/remote:/usr/bin:/bin BULKHEAD_HOST=unix://$SOCKET
END
    cat >"$WORK/ssh_config" <<END
Host *
  IdentityFile $WORK/user_key
  IdentitiesOnly yes
  UserKnownHostsFile $WORK/known_hosts
  StrictHostKeyChecking accept-new
  LogLevel ERROR
END
    printf '#!/bin/sh\nexec /usr/bin/ssh -F %s "$@"\n' "$WORK/ssh_config" >"$WORK/local/ssh"
    chmod 755 "$WORK/local/ssh"
    /usr/sbin/sshd -D -e -f "$WORK/sshd_config" 2>"$WORK/sshd.log" &
    at_end "kill $!"
    disown
    eventually bash -c "exec 3<>/dev/tcp/127.0.0.1/$PORT" 2>/dev/null
}
ssh_setup
export PATH=$WORK/local:$PATH
unset DOCKER_HOST
FAR=ssh://root@127.0.0.1:$PORT

over_ssh() { timeout 30 "$client" -H "$FAR" "$@"; }
version() { matches "$(over_ssh version)" "Server"; }
runs() { equal "$(over_ssh run --rm --network none busybox echo far)" far; }
exit_status() { exits 7 over_ssh run --rm --network none busybox sh -c 'exit 7'; }
stdin_ends() { equal "$(printf 'a\nb\n' | over_ssh run -i --rm --network none busybox wc -l)" 2; }
ten_megabytes() {
    head -c 10000000 /dev/urandom >"$WORK/random"
    equal "$(over_ssh run -i --rm --network none busybox cat <"$WORK/random" | sha256sum)" "$(sha256sum <"$WORK/random")"
}
socket_by_path() { matches "$(timeout 20 bulkhead -H "$FAR$SOCKET" ps)" "^CONTAINER ID"; }
signal_passes() {
    bulkhead -H "$FAR" run --rm --network none busybox sh -c 'trap "exit 42" TERM; echo ready; while :; do sleep 0.05; done' >"$WORK/ready" &
    local pid=$! status=0
    eventually grep -q ready "$WORK/ready"
    kill -TERM $pid
    wait $pid || status=$?
    equal "$status" 42 "exit status"
    equal "$(bulkhead -H "unix://$SOCKET" ps -q)" "" "containers"
}
no_host() {
    exits 1 bulkhead -H ssh://root@127.0.0.1:1 ps
    grep -q '^bulkhead: ' "$WORK/err"
}
bad_hosts() {
    local host
    for host in 'ssh://' 'ssh://-oProxyCommand=touch%20x' 'ssh://user:secret@host' 'ssh://host:99999' 'ssh://host/a b' 'ssh://ho;st' 'ssh://-x@host' 'tcp://host:1'; do
        exits 1 bulkhead -H "$host" ps || exits 125 bulkhead -H "$host" ps
        matches "$(cat "$WORK/err")" "^bulkhead: invalid host"
    done
}
dial_stdio() { # a request through it, whose sender closes his side at once
    matches "$(printf 'GET /_ping HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' | bulkhead -H "unix://$SOCKET" system dial-stdio)" 'OK$'
}
no_ssh_left() { eventually bash -c "! pgrep -f '[s]sh.*-F $WORK/ssh_config'"; }

for client in $CLIENTS; do
    check "$client over ssh: version" version
    check "$client over ssh: run" runs
    check "$client over ssh: exit status" exit_status
    check "$client over ssh: the end of stdin" stdin_ends
done
client=bulkhead
check "ten megabytes each way over ssh" ten_megabytes
check "the far socket by its path" socket_by_path
check "signals reach the far container" signal_passes
check "a host that does not answer" no_host
check "hosts that ssh or a shell could misread are refused" bad_hosts
check "dial-stdio carries a half-closed request" dial_stdio
check "no ssh is left over" no_ssh_left
