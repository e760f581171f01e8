#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A listener on loopback that nobody may reach: honeypot.py LOG. Prints its port; each connection becomes a line of LOG. Ends when
its standard input does."""
import socket
import sys
import threading


def main():
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)

    def serve():
        while True:
            peer, address = listener.accept()
            with open(sys.argv[1], "a") as log:
                print("a connection from", address, file=log)
            peer.close()

    threading.Thread(target=serve, daemon=True).start()
    while sys.stdin.buffer.read(65536):
        pass


main()
