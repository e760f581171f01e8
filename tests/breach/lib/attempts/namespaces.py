# SPDX-License-Identifier: Apache-2.0
"""Namespaces: of its own, and those of others."""
from .rules import NEVER, Attempt, best, needs, plain

KINDS = {"user": 0x10000000, "mount": 0x20000, "network": 0x40000000, "process": 0x20000000, "IPC": 0x8000000, "host name": 0x4000000,
         "cgroup": 0x2000000, "time": 0x80}


def new_namespace(kind, flag):
    return plain("unshare", flag, label=f"unshare a {kind} namespace", allowed=needs("SYS_ADMIN") if kind != "user" else NEVER)


def clone_into(inside, _):
    """A time namespace is the one that clone() knows no flag for."""
    return best(inside.call("clone", flag | 17) for kind, flag in KINDS.items() if kind != "time")


ATTEMPTS = [
    *(new_namespace(kind, flag) for kind, flag in KINDS.items()),
    Attempt("fork into namespaces of its own", clone_into, NEVER),
    Attempt("enter a namespace that it was handed", lambda i, t: i.call("setns", t.given["ns"], 0), needs("SYS_ADMIN")),
    plain("sethostname", "breach", 6, allowed=needs("SYS_ADMIN")),
    plain("setdomainname", "breach", 6, allowed=needs("SYS_ADMIN")),
]
