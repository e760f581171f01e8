#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Raw bytes for the API: raw.py SOCKET. One line a case: `ok` or `not ok`, name, and the answer's first line. Each must be answered by
a status of its list within ten seconds, or, where that is allowed, by the end of the connection."""
import json
import socket
import sys

CREATE = b"POST /v1.43/containers/create HTTP/1.1\r\nHost: d\r\nContent-Type: application/json\r\n"


def get(target, host=b"d", more=b""):
    return b"GET " + target + b" HTTP/1.1\r\nHost: " + host + b"\r\n" + more + b"\r\n"


def create(body):
    return CREATE + b"Content-Length: %d\r\n\r\n" % len(body) + body


CASES = [
    ("Content-Length beside Transfer-Encoding", CREATE + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", [400]),
    ("two lengths", CREATE + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} ", [400]),
    ("a length of -1", CREATE + b"Content-Length: -1\r\n\r\n", [400]),
    ("a length beyond 64 bits", CREATE + b"Content-Length: 99999999999999999999\r\n\r\n", [400, 413]),
    ("another coding", CREATE + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", [400, 501]),
    ("a chunk of -1", CREATE + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n", [400]),
    ("a chunk beyond 64 bits", CREATE + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n\r\n", [400, 413]),
    ("a folded header", get(b"/_ping", more=b"X: a\r\n b\r\n"), [400]),
    ("a space before the colon", get(b"/_ping", more=b"X : a\r\n"), [400]),
    ("a bare CR", get(b"/_ping", more=b"X: a\rb\r\n"), [400]),
    ("a NUL in a header", get(b"/_ping", more=b"X: a\0b\r\n"), [400]),
    ("a foreign Host", get(b"/_ping", b"evil.example"), [400, 403, 421]),
    ("a foreign Host with a port", get(b"/version", b"rebound.example:2375"), [400, 403, 421]),
    ("two Hosts", get(b"/_ping", more=b"Host: evil.example\r\n"), [400]),
    ("encoded dot-dot", get(b"/containers/%2e%2e/json"), [400, 404]),
    ("encoded slashes", get(b"/containers/..%2f..%2fetc/json"), [400, 404]),
    ("dot-dot", get(b"/containers/../version"), [400, 404]),
    ("two slashes", get(b"//version"), [400, 404]),
    ("an encoded NUL", get(b"/containers/a%00b/json"), [400, 404]),
    ("a bad escape", get(b"/containers/%zz/json"), [400]),
    ("an absolute target", get(b"http://evil.example/version"), [400, 403]),
    ("CONNECT", b"CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: d\r\n\r\n", [400, 404, 405, 501]),
    ("HTTP/2's preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", [400, 505]),
    ("a head of 1 MiB", get(b"/_ping", more=b"X: " + b"a" * (1 << 20) + b"\r\n"), [400, 431, None]),
    ("ten thousand headers", get(b"/_ping", more=b"X: a\r\n" * 10000), [400, 431, None]),
    ("a body at the limit and one", CREATE + b"Content-Length: %d\r\n\r\n" % (4 * 1024 * 1024 + 1), [400, 413, 507]),
    ("JSON of depth 100,000", create(b'{"Image": ' + b"[" * 100000 + b"]" * 100000 + b"}"), [400]),
    ("duplicate keys", create(b'{"Image": "busybox", "Image": "other"}'), [400]),
    ("binds given twice", create(b'{"Image": "busybox", "HostConfig": {"Binds": []}, "HostConfig": {"Binds": ["/:/host"]}}'), [400]),
    ("a key twice, in two cases", create(b'{"Image": "busybox", "HostConfig": {}, "hostconfig": {"Privileged": true}}'), [400]),
    ("an empty body", CREATE + b"Content-Length: 0\r\n\r\n", [400]),
    ("garbage behind the JSON", create(b'{"Image": "busybox"} {"x": 1}'), [400]),
    ("a NUL in JSON", create(b'{"Image": "busybox\\u0000evil"}'), [400]),
    ("invalid UTF-8 in JSON", create(b'{"Image": "\xff\xfe"}'), [400]),
    ("a number beyond 64 bits", create(b'{"Image": "busybox", "HostConfig": {"Memory": 99999999999999999999}}'), [400]),
    ("an array for an object", create(b"[]"), [400]),
    ("a container name that is a path", b"POST /containers/create?name=../../evil HTTP/1.1\r\nHost: d\r\nContent-Type: application/json\r\n"
     b"Content-Length: 20\r\n\r\n" + b'{"Image": "busybox"}', [400]),
    ("an image of another's id", get(b"/images/sha256:../../x/json"), [400, 404]),
    ("nothing but new lines", b"\r\n" * 1000, [400, None]),
    ("binary", bytes(range(256)) * 10, [400, None]),
]


def ask(path, content):
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as peer:
        peer.settimeout(10)
        peer.connect(path)
        try:
            peer.sendall(content)
            peer.shutdown(socket.SHUT_WR)
        except (BrokenPipeError, ConnectionResetError):
            pass
        try:
            return peer.recv(65536)
        except ConnectionResetError:
            return b""


def main():
    for name, content, wanted in CASES:
        try:
            answer = ask(sys.argv[1], content)
        except TimeoutError:
            print("not ok", name, "no answer", sep="\t")
            continue
        words = answer.split(b" ", 2)
        status = int(words[1]) if len(words) > 2 and words[1].isdigit() else None
        good = status in wanted
        if status is not None and good and status >= 400:
            body = answer.partition(b"\r\n\r\n")[2]
            try:
                good = len(json.loads(body)["message"]) > 0
            except (ValueError, KeyError, TypeError):
                good = False
        print("ok" if good else "not ok", name, answer[:200], sep="\t")


main()
