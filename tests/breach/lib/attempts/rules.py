# SPDX-License-Identifier: Apache-2.0
"""What an attempt is, and what a process's own row says of it:

    NEVER             whoever has a filter is refused
    nobody            everybody is refused, with a filter or without
    with_calls(...)   works for rows that name these calls, and for them alone
    with_group(...)   works for rows with that group of calls
    needs(CAP)        works for whoever holds the capability and no filter stands in the way
    host_root_only    is refused to all that do not see the host's files

A rule answers True (must work), False (must be refused) or None (may do either: nothing is tried).
"""
import errno
from dataclasses import dataclass, field
from typing import Callable


def NEVER(row):
    return None if not row.filtered else False


def nobody(_):
    return False


def with_calls(*calls):
    return lambda row: row.permits(*calls) if row.filtered else None


def with_group(group):
    return lambda row: group in row.groups if row.filtered else None


def needs(capability):
    return lambda row: None if not row.filtered and row.holds(capability) else False


def host_root_only(row):
    return None if row.root == "host" else False


def only_role(role):
    """Works for that service, whose own it is; a worker of it is refused."""
    return lambda row: row.name == role if row.filtered else None


def beyond(limit):
    """Is refused to all whose row limits that."""
    return lambda row: False if row.limits.get(limit) else None


@dataclass
class Target:
    """What is tried upon: all of it exists, and belongs to somebody else."""
    victims: dict                              # name: pid
    files: list                                # absolute paths
    known: str                                 # one that every process of the host may read
    open_folder: str                           # and one where every process of the host may write
    given: dict = field(default_factory=dict)  # descriptors that the attacker hands in: "ns"
    abstract: str = ""                         # a datagram socket of the host's network namespace
    port: int = 0                              # a server at 127.0.0.1 in the engine's network namespace
    door: str = ""                             # the socket of the engine's clients
    state: str = ""                            # the engine's state folder
    descriptors: int = 0                       # how many its row grants
    folders: list = field(default_factory=list)  # descriptors of folders that the process holds
    sockets: list = field(default_factory=list)  # and of sockets
    datagrams: list = field(default_factory=list)  # and, of these, those that can be told a receiver by name


@dataclass
class Attempt:
    name: str
    act: Callable  # (inside, target): the result of the call that counts, negative for a refusal
    allowed: Callable
    reached: tuple = ()  # errors that come only after every check of rights


def best(results):
    """The worst news of several results: a success, else the last refusal."""
    results = list(results)
    return next((result for result in results if result >= 0), results[-1] if results else -errno.ENOENT)


def closing(inside, fd):
    if fd >= 0:
        inside.call("close", fd)
    return fd


def in_proc(pid, name):
    """Where a file about a process would be: below /proc, or at the root of who has nothing else."""
    return f"/proc/{pid}/{name}", f"/{pid}/{name}"


def plain(name, *arguments, reached=(), allowed=NEVER, label=None, undo=None):
    """One call whose arguments say all."""
    def act(inside, _):
        result = inside.call(name, *arguments)
        if undo and result >= 0:
            inside.call(*undo)
        return result
    return Attempt(label or f"call {name}", act, allowed, reached)
