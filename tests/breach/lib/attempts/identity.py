# SPDX-License-Identifier: Apache-2.0
"""Who it is: uids, capabilities, and what the kernel remembers of that."""
import errno
import struct

from .rules import Attempt, nobody, plain

TWO = 1 << 16 | 1 << 19  # SYS_MODULE and SYS_PTRACE, which nobody here holds
MORE = struct.pack("=6I", TWO, TWO, 0, 0, 0, 0)


def raise_capabilities(inside, _):
    return inside.call("capset", struct.pack("=Ii", 0x20080522, 0), MORE)


def control(option, *arguments, label):
    return plain("prctl", option, *arguments, label=label)


ATTEMPTS = [
    plain("setresuid", 0, 0, 0), plain("setuid", 0), plain("setresgid", 0, 0, 0), plain("setgid", 0), plain("setreuid", 0, 0), plain("setregid", 0, 0),
    plain("setgroups", 0, 0), plain("setfsuid", 0), plain("setfsgid", 0),
    Attempt("take capabilities", raise_capabilities, nobody),
    control(4, 1, label="become dumpable"), control(8, 1, label="keep capabilities over a change of uid"),
    control(28, 0, label="change its secure bits"), control(36, 1, label="become a reaper"), plain("prctl", 0x59616d61, 1, label="choose a tracer", reached=(errno.EINVAL,)),
    control(24, 39, label="change its bounding set"), control(47, 4, label="change its ambient set"), control(38, 1, label="promise no new privileges"), plain("setsid"), plain("setpgid", 0, 0),
]
