#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A wire to a registry that is cut after so many bytes.

    cutter.py HOST:PORT FOLDER

Passes connections to HOST:PORT on; prints "listening on HOST:PORT". FOLDER/cut says what shall happen, and is read at each connection: "N once"
resets every connection when N bytes in all have come from the registry, and passes the next ones on; "N always" refuses the next ones, too;
"never" cuts nothing. Counting begins anew when FOLDER/cut is written anew. FOLDER/passed says how many bytes have come. Ends with its standard input.
"""
import os
import select
import socket
import struct
import sys
import threading

CHUNK_BYTES = 16384
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close() says RST


class Wire:
    def __init__(self, target, folder):
        self.target, self.folder = target, folder
        self.lock = threading.Lock()
        self.open = set()
        self.told = None
        self.begin()

    def begin(self):
        """Reads what shall happen, if that is new."""
        with open(f"{self.folder}/cut") as file:
            told = (os.fstat(file.fileno()).st_mtime_ns, file.read().split())
        if told == self.told:
            return
        self.told, words = told, told[1]
        self.left = None if words == ["never"] else int(words[0])
        self.always = words[-1] == "always"
        self.passed, self.was_cut = 0, False

    def allowed(self, n):
        """How many of n bytes may pass; None of them, and no others, once the wire is cut."""
        with self.lock:
            if self.was_cut and self.always:
                return 0
            if self.left is None or n < self.left:
                self.left = None if self.left is None else self.left - n
            else:
                n, self.left, self.was_cut = self.left, None, True
            self.passed += n
            with open(f"{self.folder}/passed", "w") as file:
                file.write(f"{self.passed}\n")
            return n

    def cut(self):
        with self.lock:
            ended, self.open = self.open, set()
        for connection in ended:
            try:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                connection.shutdown(socket.SHUT_RD)  # whoever waits for it wakes up, and closes it
            except OSError:
                pass  # it has ended by itself

    def serve(self, client):
        with client, socket.create_connection(self.target) as registry:
            with self.lock:
                self.open.add(client)
            while True:
                for ready in select.select([client, registry], [], [])[0]:
                    content = ready.recv(CHUNK_BYTES)
                    if not content:
                        return
                    if ready is client:
                        registry.sendall(content)
                        continue
                    n = self.allowed(len(content))
                    client.sendall(content[:n])
                    if n < len(content) or client not in self.open:
                        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                        self.cut()
                        return

    def connect(self, client):
        try:
            self.serve(client)
        except OSError:
            pass  # one end hung up: so does this
        finally:
            with self.lock:
                self.open.discard(client)

    def run(self):
        listener = socket.create_server(("127.0.0.1", 0))
        print("listening on 127.0.0.1:%d" % listener.getsockname()[1], flush=True)
        while True:
            ready = select.select([listener, sys.stdin], [], [])[0]
            if sys.stdin in ready and not os.read(0, 1):
                return
            if listener in ready:
                client, _ = listener.accept()
                with self.lock:
                    self.begin()
                    refused = self.was_cut and self.always
                if refused:
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                    client.close()
                else:
                    threading.Thread(target=self.connect, args=[client], daemon=True).start()


if __name__ == "__main__":
    host, port = sys.argv[1].rsplit(":", 1)
    Wire((host, int(port)), sys.argv[2]).run()
