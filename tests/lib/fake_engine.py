#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An engine that lies: answers the API on a unix socket the way a client should survive.

    fake_engine.py SOCKET FOLDER

GET and HEAD of .../containers/NAME/archive send FOLDER/NAME.tar, whatever path was asked for; X-Docker-Container-Path-Stat comes from
FOLDER/NAME.stat. POST /containers/create writes its body to FOLDER/create.json. Everything else is an empty object."""
import base64
import json
import os
import socketserver
import sys
from http.server import BaseHTTPRequestHandler

folder = sys.argv[2]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, body, fields=()):
        self.send_response(status)
        for name, value in (("Api-Version", "1.47"), ("Content-Length", str(len(body))), *fields):
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_GET(self):
        parts = self.path.split("?")[0].split("/")
        if parts[-1] == "archive":
            name = os.path.join(folder, parts[-2])
            stat = open(name + ".stat", "rb").read()
            self.answer(200, open(name + ".tar", "rb").read(), [("X-Docker-Container-Path-Stat", base64.b64encode(stat).decode())])
        else:
            self.answer(200, b"OK" if parts[-1] == "_ping" else b"{}", [("Content-Type", "application/json")])

    do_HEAD = do_GET

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path.split("?")[0].endswith("/containers/create"):
            with open(os.path.join(folder, "create.json"), "w") as file:
                json.dump(json.loads(body), file, sort_keys=True)
            self.answer(201, b'{"Id":"0123456789ab","Warnings":[]}')
        else:
            self.answer(200, b"{}")

    def address_string(self):
        return "client"

    def log_message(self, *_):
        pass


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


with Server(sys.argv[1], Handler) as server:
    print("ready", flush=True)
    server.serve_forever()
