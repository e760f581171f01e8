#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a greedy client does to the engine: flood.py SOCKET KIND SECONDS. Prints `started` when it is at it, and at the end how often it
was answered with which status. Kinds: requests (sixty threads that ask for lists), connections (as many as there may be, silent),
half-open (heads and bodies that never end), events (followers that never read), creates (containers, as many as there may be),
execs (made and never started), volumes, pulls=REFERENCE (all at once, from wherever that is), waits (requests that wait for an end)."""
import collections
import http.client
import json
import socket
import sys
import threading
import time
import urllib.parse

path, kind, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
kind, _, argument = kind.partition("=")
until = time.monotonic() + seconds
answers = collections.Counter()


class Connection(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(seconds + 20)
        self.sock.connect(path)


def ask(method, target, body=None):
    connection = Connection("d")
    try:
        connection.request(method, target, json.dumps(body) if body is not None else None, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        answers[answer.status] += 1
    except OSError as failure:
        answers[type(failure).__name__] += 1
    finally:
        connection.close()


def again_and_again(method, targets, body=None):
    def work(number):
        count = number
        while time.monotonic() < until:
            ask(method, targets[count % len(targets)].replace("%d", str(count)), body)
            count += 60
    return work


def hold(content):
    """Opens connections, sends each that, and holds them."""
    def work(_):
        held = []
        while time.monotonic() < until and len(held) < 40:
            peer = socket.socket(socket.AF_UNIX)
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            try:
                peer.connect(path)
                peer.sendall(content)
                held.append(peer)
                answers["held"] += 1
            except OSError as failure:
                answers[type(failure).__name__] += 1
                time.sleep(0.05)
        time.sleep(max(0, until - time.monotonic()))
    return work


LISTS = ["/containers/json?all=1", "/images/json", "/info", "/volumes", "/system/df", "/version", "/networks"]
KINDS = {
    "requests": again_and_again("GET", LISTS),
    "connections": hold(b""),
    "half-open": hold(b"POST /containers/create HTTP/1.1\r\nHost: d\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n{"),
    "events": hold(b"GET /events HTTP/1.1\r\nHost: d\r\n\r\n"),
    "creates": again_and_again("POST", ["/containers/create"], {"Image": "busybox", "Cmd": ["true"], "HostConfig": {"NetworkMode": "none"}}),
    "execs": again_and_again("POST", ["/containers/greedy/exec"], {"Cmd": ["true"]}),
    "volumes": again_and_again("POST", ["/volumes/create"], {}),
    "pulls": again_and_again("POST", ["/images/create?fromImage=" + urllib.parse.quote(argument, "")]),
    "waits": again_and_again("POST", ["/containers/greedy/wait"]),
}


def main():
    threads = [threading.Thread(target=KINDS[kind], args=(number,), daemon=True) for number in range(60)]
    for thread in threads:
        thread.start()
    time.sleep(0.5)
    print("started", flush=True)
    for thread in threads:
        thread.join(max(0, until - time.monotonic()) + 1)
    print(*(f"{count} x {status}" for status, count in sorted(answers.items(), key=str)), flush=True)


main()
