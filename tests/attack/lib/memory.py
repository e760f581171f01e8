#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Watches what the engine's processes hold in memory, while attacks go on.

    memory.py BIN FOLDER    until its standard input ends

Several times a second it adds up the anonymous and shared memory (RssAnon, RssShmem of /proc/PID/status) of all processes whose program
lies in BIN, helpers and their workers, and keeps FOLDER/peak: the most since FOLDER/reset was made, in KiB, and who held the
largest part of it. It removes FOLDER/reset, and FOLDER/look, when it has looked once since they were made. Text of programs and libraries is the kernel's to drop, and not counted."""
import os
import re
import select
import sys

PAUSE_SECONDS = 0.03
HELD = re.compile(rb"^Rss(?:Anon|Shmem):\s+(\d+) kB", re.M)


class Watch:
    def __init__(self, programs, folder):
        self.programs, self.folder = os.path.realpath(programs) + "/", folder
        self.ours = {}  # pid: its start time and whether it is one of ours
        self.peak = -1

    def is_ours(self, pid):
        try:
            started = os.stat(f"/proc/{pid}").st_mtime_ns
            if self.ours.get(pid, (None,))[0] != started:
                self.ours[pid] = started, os.readlink(f"/proc/{pid}/exe").startswith(self.programs)
        except OSError:
            return False
        return self.ours[pid][1]

    def held(self):
        found = {}
        for pid in filter(str.isdigit, os.listdir("/proc")):
            if self.is_ours(pid):
                try:
                    with open(f"/proc/{pid}/status", "rb") as status, open(f"/proc/{pid}/comm") as comm:
                        found[pid] = sum(map(int, HELD.findall(status.read()))), comm.read().strip()
                except OSError:
                    continue
        return found

    def look(self):
        asked = [name for name in ("reset", "look") if os.path.exists(f"{self.folder}/{name}")]
        if "reset" in asked:
            self.peak = -1
        found = self.held()
        total = sum(kib for kib, _ in found.values())
        if total > self.peak:
            self.peak = total
            kib, name = max(found.values(), default=(0, "nobody"))
            with open(f"{self.folder}/peak.new", "w") as file:
                file.write(f"{total} {name} {kib}\n")
            os.rename(f"{self.folder}/peak.new", f"{self.folder}/peak")
        for name in asked:
            os.unlink(f"{self.folder}/{name}")


watch = Watch(*sys.argv[1:])
while not select.select([sys.stdin], [], [], PAUSE_SECONDS)[0]:
    watch.look()
