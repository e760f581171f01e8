#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How a neighbour fares: latency.py SECONDS BOUND_MS COMMAND... runs the command again and again for so long, each of which must succeed
within the bound, and prints the median and the longest in milliseconds. Ends with status 1 if one did not."""
import statistics
import subprocess
import sys
import time


def main():
    seconds, bound, command = float(sys.argv[1]), float(sys.argv[2]), sys.argv[3:]
    until, took, bad = time.monotonic() + seconds, [], []
    while time.monotonic() < until or not took:
        start = time.monotonic()
        status = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL).returncode
        took.append((time.monotonic() - start) * 1000)
        if status or took[-1] > bound:
            bad.append(f"status {status} after {took[-1]:.0f} ms")
        time.sleep(0.02)
    print(f"{len(took)} times, median {statistics.median(took):.0f} ms, longest {max(took):.0f} ms")
    if bad:
        print(f"more than {bound:.0f} ms, or failed:", *bad, sep="\n")
    sys.exit(bool(bad))


main()
