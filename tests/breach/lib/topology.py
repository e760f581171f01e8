# SPDX-License-Identifier: Apache-2.0
"""Which process can speak to which: the kernel's own word on every socket that they hold.

Unix sockets are paired by the inodes that sock_diag tells; it tells them of one network namespace at a time, so each namespace that
a process of the engine lives in is asked.
"""
import ctypes
import os
import re
import subprocess

CLONE_NEWNET = 0x40000000


def sockets_of(pid):
    """fd: inode."""
    found = {}
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            match = re.fullmatch(r"socket:\[(\d+)\]", os.readlink(f"/proc/{pid}/fd/{fd}"))
        except OSError:
            continue
        if match:
            found[int(fd)] = int(match[1])
    return found


def seen_from(pid, flags):
    """What `ss` says in the network namespace of a process, by lines."""
    def enter():
        with open(f"/proc/{pid}/ns/net") as namespace:
            if ctypes.CDLL(None).setns(namespace.fileno(), CLONE_NEWNET) < 0:
                os._exit(1)
    return subprocess.run(["ss", flags], preexec_fn=enter, check=True, capture_output=True, text=True).stdout.splitlines()


def pairs_seen_from(pid):
    """inode: the inode of its other end, of all unix sockets made in the network namespace of `pid`."""
    found = {}
    for line in seen_from(pid, "-xaH"):
        *_, ours, _, theirs = line.split()
        if ours.isdigit() and theirs.isdigit() and theirs != "0":
            found[int(ours)] = int(theirs)
    return found


def datagrams_of(pid, *namespaces):
    """Of its descriptors those of unix datagram sockets, made in the network namespace of any of these processes."""
    inodes = set()
    for other in (pid, *namespaces):
        inodes |= {int(line.split()[-3]) for line in seen_from(other, "-xaH") if line.startswith("u_dgr")}
    return sorted(fd for fd, inode in sockets_of(pid).items() if inode in inodes)


def reachable(pids):
    """name: {name of a process at the other end of one of its sockets: the fds}. What ends elsewhere is "?"; sockets whose other
    end is closed, or that have none, are left out."""
    namespaces, pairs, holders, sockets = set(), {}, {}, {}
    for name, pid in pids.items():
        namespace = os.readlink(f"/proc/{pid}/ns/net")
        if namespace not in namespaces:
            namespaces.add(namespace)
            pairs.update(pairs_seen_from(pid))
        sockets[name] = sockets_of(pid)
        for inode in sockets[name].values():
            holders.setdefault(inode, set()).add(name)
    matrix = {}
    for name, held in sockets.items():
        row = matrix[name] = {}
        for fd, inode in held.items():
            if inode in pairs:
                for other in holders.get(pairs[inode], {"?"}) - {name} or {name}:
                    row.setdefault(other, []).append(fd)
    return matrix
