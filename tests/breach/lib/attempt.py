# SPDX-License-Identifier: Apache-2.0
"""What an attempt is: its name, what is done (the result of the call that counts: negative is a refusal), and what the process's own
row says of it:

    NEVER            whoever has a filter is refused
    with_calls(...)  works for rows that name these calls, and for them alone
    needs(CAP)       works for whoever holds the capability and no filter stands in the way

A row function answers True (must work), False (must be refused) or None (may do either).
"""
import errno
from dataclasses import dataclass, field
from typing import Callable

def NEVER(row):
    return None if not row.filtered else False


def with_calls(*calls):
    return lambda row: row.permits(*calls) if row.filtered else None


def with_group(group):
    return lambda row: group in row.groups if row.filtered else None


def needs(capability):
    return lambda row: None if not row.filtered and row.holds(capability) else False


def nobody(_):
    return False


def host_root_only(row):
    return None if row.root == "host" else False


@dataclass
class Target:
    """What is tried upon: all of it exists, and belongs to somebody else."""
    victims: dict                              # name: pid
    files: list                                # absolute paths
    known: str                                 # one that every process of the host may read
    open_folder: str                           # and one where every process of the host may write
    given: dict = field(default_factory=dict)  # descriptors that the attacker hands in: "ns", "folder"
    abstract: str = ""                         # a datagram socket of the host's network namespace
    folders: list = field(default_factory=list)  # descriptors of folders that the process holds


@dataclass
class Attempt:
    name: str
    act: Callable
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
