#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Where breached processes call home, for as long as a test runs.

    broker.py FOLDER

Listens at /run/bulkhead-breach for the hook (tests/breach/hook.c), keeps every connection, and lends them to whoever connects to
FOLDER/broker: one message, a JSON list of {pid, fd, scratch}, with the connections beside it in that order. Who connects says "-", or the
pid of a process in whose network namespace it shall listen from now on, too: monitors look for it there. Ends with its standard input.
"""
import array
import ctypes
import json
import os
import select
import signal
import socket
import struct
import sys

ADDRESS = "bulkhead-breach"
HELLO = struct.Struct("=iiQ")
CLONE_NEWNET = 0x40000000
LENT_MAX = 200  # descriptors of one message: the kernel takes 253


def listen(address, kind):
    listener = socket.socket(socket.AF_UNIX, kind)
    listener.bind(address)
    listener.listen(128)
    return listener


def listen_beside(pid):
    """A socket keeps the namespace that it was made in."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/proc/self/ns/net") as ours, open(f"/proc/{pid}/ns/net") as theirs:
        if libc.setns(theirs.fileno(), CLONE_NEWNET) < 0:
            raise OSError(ctypes.get_errno(), f"enter the network namespace of {pid}")
        try:
            return listen("\0" + ADDRESS, socket.SOCK_SEQPACKET)
        finally:
            libc.setns(ours.fileno(), CLONE_NEWNET)


class Broker:
    def __init__(self, folder):
        path = f"/run/{ADDRESS}"
        if os.path.exists(path):
            os.unlink(path)
        self.hooks = [listen(path, socket.SOCK_SEQPACKET)]
        os.chmod(path, 0o666)
        self.inode = os.stat(path).st_ino
        self.counter = listen(f"{folder}/broker", socket.SOCK_SEQPACKET)
        self.breached = {}  # pid: (connection, fd inside, address of its scratch)

    def greet(self, listener):
        connection, _ = listener.accept()
        connection.settimeout(2)
        pid, fd, scratch = HELLO.unpack(connection.recv(HELLO.size))
        self.breached[pid] = (connection, fd, scratch)

    def lend(self):
        client, _ = self.counter.accept()
        wish = client.recv(64).decode()
        if wish != "-":
            self.hooks.append(listen_beside(int(wish)))
        self.breached = {pid: entry for pid, entry in self.breached.items() if os.path.exists(f"/proc/{pid}")}
        lent = list(self.breached.items())[-LENT_MAX:]
        text = json.dumps([{"pid": pid, "fd": fd, "scratch": scratch} for pid, (_, fd, scratch) in lent]).encode()
        fds = array.array("i", [connection.fileno() for _, (connection, _, _) in lent])
        client.sendmsg([text], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)] if lent else [])
        client.close()

    def serve(self):
        while True:
            for ready in select.select([*self.hooks, self.counter, sys.stdin], [], [])[0]:
                if ready is sys.stdin:
                    if not os.read(0, 1):
                        return
                elif ready is self.counter:
                    self.lend()
                else:
                    self.greet(ready)

    def close(self):
        """Another test's broker may have taken the place meanwhile."""
        path = f"/run/{ADDRESS}"
        if os.path.exists(path) and os.stat(path).st_ino == self.inode:
            os.unlink(path)


if __name__ == "__main__":
    broker = Broker(sys.argv[1])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    try:
        broker.serve()
    finally:
        broker.close()
