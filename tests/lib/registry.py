#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A registry for tests: speaks the distribution protocol, and misbehaves on request.

    registry.py --root FOLDER [--host 127.0.0.1] [--port 0] [--tls CERT KEY] [--auth none|basic|bearer]
                [--user NAME --password TEXT] [--realm URL] [--write] [--fault NAME[=VALUE]]... [--log FILE]

Python's standard library only. It prints one line, "listening on HOST:PORT", when it is ready, and runs until its standard
input closes or it is told to stop, so that it never outlives the test that started it.

What it serves (nothing is written, unless --write allows uploads):

    FOLDER/blobs/<64 hex>                          blobs, named by their sha256
    FOLDER/manifests/<repository>/<tag or hex>     manifests; the media type is the document's own "mediaType"

Writing wants a token that was asked for with "pull,push" in its scope.

Authentication (--auth): `basic` wants NAME and TEXT; `bearer` sends clients to this server's own /token (or to --realm), which
gives a token for NAME and TEXT (or for nobody, if there is no --user), and accepts `refresh_token` grants of the identity
token that it hands out for `offline_token=true`. /token always accepts what it once gave out.

Faults (--fault, any number; also POST /faults with a JSON list of the same strings, which replaces them all):

    stop=N             close the connection after N bytes of a blob's body (every time)
    stop-once=N        the same, the first time each blob is asked for
    range-ignored      answer 200 with the whole blob to a Range request
    range-wrong        answer 206 with another Content-Range than was asked for
    range-lies         right Content-Range, wrong bytes
    slow=SECONDS       one byte each SECONDS of a blob's or manifest's body
    silent             accept, read the request, never answer
    status=N           answer N to every blob and manifest request, with the specification's error JSON
    status-once=N      the same, the first time each path is asked for; 429 and 503 come with "Retry-After: 1"
    redirect=URL       answer blob requests with 307 to URL ("%s" becomes the request's path)
    redirect-manifest=URL   the same for manifests
    redirect-loop      redirect every request to itself
    flood              an endless response head
    long-header=N      one header of N bytes
    length=N           announce N more bytes than the body has (negative: fewer)
    endless            a manifest body that never ends, without Content-Length
    extra=N            N bytes more than the blob has, without Content-Length
    corrupt            flip the first byte of every blob
    moving             every request for a tag gets the next manifest of <repository>/<tag>, <tag>.1, <tag>.2 ... (last one stays)
    content-type=T     this Content-Type for manifests
    challenge=TEXT     this WWW-Authenticate on a 401 (the 401 itself comes from --auth, or from status=401)
    token-status=N     /token answers N
    token-big=N        /token answers a token of N bytes
    token-garbage      /token answers something that is no JSON
    token-read-only    tokens open everything but writing, which is answered 401 as Docker Hub does
    page=N             at most N tags a page of tags/list, with a Link to the next
    page-loop          every page of tags/list links to itself
    page-elsewhere=URL the Link of a page of tags/list leads there
    search-says=TEXT   the whole answer to a search
    search-status=N    a search is answered N

Faults of uploads (--write):

    upload-cuts=N      the first N PATCHes are cut off after a random number of bytes, which are kept
    upload-forget      with upload-cuts: nothing is kept, and the upload is unknown afterwards
    upload-takes=N     each PATCH takes N bytes more and says so, and the rest is dropped
    upload-range=TEXT  this Range in every answer about an upload
    upload-no-range    no Range in any
    upload-location=URL   this Location in every answer about an upload ("%s" becomes the request's path)
    upload-absolute    the Location is a whole URL
    upload-redirect=URL   PATCH is answered with 307 to URL ("%s" becomes the request's path)
    upload-status=N    every request about an upload is answered N
    upload-status-once=N   the first of each kind; 429 and 503 come with "Retry-After: 1"
    upload-pause=S     a PATCH is answered after S seconds
    upload-silent      a PATCH is read, and never answered
    put-lost           the first PUT of each blob does its work and is not answered
    put-lies           PUT answers another digest

--log FILE gets one line a request: METHOD PATH AUTHORIZATION RANGE ("-" where absent), to see who was told what.
"""

import argparse
import base64
import hashlib
import http.server
import json
import os
import secrets
import socket
import ssl
import sys
import threading
import time
import urllib.parse

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
CHUNK = 1 << 20

ERRORS = {
    401: ("UNAUTHORIZED", "authentication required"),
    403: ("DENIED", "requested access to the resource is denied"),
    404: ("NAME_UNKNOWN", "repository name not known to registry"),
    429: ("TOOMANYREQUESTS", "too many requests"),
    500: ("UNKNOWN", "unknown error"),
    503: ("UNAVAILABLE", "service unavailable"),
}


class Faults:
    """The misbehaviours that are on. Read by every request, replaced as a whole by POST /faults."""

    def __init__(self, texts):
        self.lock = threading.Lock()
        self.replace(texts)

    def replace(self, texts):
        with self.lock:
            self.values = dict(text.partition("=")[::2] for text in texts)
            self.seen = set()

    def get(self, name):
        with self.lock:
            return self.values.get(name)

    def has(self, name):
        return self.get(name) is not None

    def count_down(self, name):
        """True as many times as the value of `name` says."""
        with self.lock:
            left = int(self.values.get(name, 0))
            if left > 0:
                self.values[name] = str(left - 1)
            return left > 0

    def once(self, name, key):
        """The value of `name` the first time it is asked for `key`, then None."""
        with self.lock:
            if name not in self.values or (name, key) in self.seen:
                return None
            self.seen.add((name, key))
            return self.values[name]


class Tokens:
    """Tokens that were given out; any of them opens everything."""

    def __init__(self):
        self.lock = threading.Lock()
        self.access, self.identity = set(), set()
        self.push = set() # those of `access` that were asked for with a scope to push

    def give(self, kind):
        token = secrets.token_urlsafe(32)
        with self.lock:
            getattr(self, kind).add(token)
        return token

    def knows(self, kind, token):
        with self.lock:
            return token in getattr(self, kind)


class Registry(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, options):
        self.options = options
        self.faults = Faults(options.fault)
        self.tokens = Tokens()
        self.moves, self.moves_lock = {}, threading.Lock()
        self.uploads = {}
        self.log_lock = threading.Lock()
        self.tls = None
        if options.tls:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(*options.tls)
        super().__init__((options.host, options.port), Request)

    def base(self):
        return f"{'https' if self.tls else 'http'}://{self.options.host}:{self.server_address[1]}"

    def finish_request(self, request, client_address):
        """In the connection's own thread: TLS, or a quick end for a client that speaks TLS to plain HTTP."""
        request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.tls:
            try:
                request = self.tls.wrap_socket(request, server_side=True)
            except (ssl.SSLError, OSError):
                return
        elif request.recv(1, socket.MSG_PEEK) == b"\x16":
            return
        super().finish_request(request, client_address)
        if self.tls:
            try:
                request.unwrap()
            except (ssl.SSLError, OSError, ValueError):
                pass
            request.close()

    def handle_error(self, request, client_address):
        """Clients that go away in the middle are what many tests are about."""


class Request(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = CHUNK

    def log_message(self, format, *arguments):
        pass

    def note(self):
        if self.server.options.log:
            with self.server.log_lock, open(self.server.options.log, "a", encoding="utf-8") as log:
                fields = [self.command, self.path, self.headers.get("Authorization", "-"), self.headers.get("Range", "-")]
                log.write(" ".join(field.replace(" ", "_") for field in fields) + "\n")

    # ---- answers ---------------------------------------------------------------------------------

    def answer(self, status, body=b"", content_type="application/json", headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def fail(self, status, code=None, message=None, headers=()):
        default = ERRORS.get(status, ("UNKNOWN", f"status {status}"))
        error = {"code": code or default[0], "message": message or default[1], "detail": None}
        if status in (429, 503):
            headers = [*headers, ("Retry-After", "1")]
        self.answer(status, json.dumps({"errors": [error]}).encode(), headers=headers)

    def redirect(self, to):
        self.answer(307, headers=[("Location", to.replace("%s", self.path))])

    # ---- who is asking ---------------------------------------------------------------------------

    def credentials(self):
        kind, _, value = self.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "basic":
            return None
        try:
            name, _, password = base64.b64decode(value).decode().partition(":")
        except ValueError:
            return None
        return name, password

    def right_credentials(self):
        options = self.server.options
        return self.credentials() == (options.user, options.password)

    def challenge(self, repository=None, actions="pull"):
        forged = self.server.faults.get("challenge")
        if forged:
            return forged
        if self.server.options.auth == "basic":
            return 'Basic realm="test registry"'
        realm = self.server.options.realm or self.server.base() + "/token"
        scope = f',scope="repository:{repository}:{actions}"' if repository else ""
        return f'Bearer realm="{realm}",service="test registry"{scope}'

    def authorized(self, repository=None, actions="pull"):
        options = self.server.options
        if options.auth == "none":
            return True
        kind, _, value = self.headers.get("Authorization", "").partition(" ")
        if options.auth == "basic" and self.right_credentials():
            return True
        if options.auth == "bearer" and kind == "Bearer" and self.server.tokens.knows("access", value):
            return True
        self.fail(401, headers=[("WWW-Authenticate", self.challenge(repository, actions))])
        return False

    def may_write(self, repository):
        """Writing is for whoever was let in, and only where --write says so."""
        if not self.server.options.write:
            self.fail(405, "UNSUPPORTED", "The operation is unsupported.")
            return False
        if not self.authorized(repository, "pull,push"):
            return False
        token = self.headers.get("Authorization", "").partition(" ")[2]
        scoped = self.server.options.auth != "bearer" or token in self.server.tokens.push
        if self.server.faults.has("token-read-only") or not scoped:
            self.fail(401, "UNAUTHORIZED", "authentication required",
                      headers=[("WWW-Authenticate", self.challenge(repository, "pull,push") + ',error="insufficient_scope"')])
            return False
        return True

    def token(self, query, granted=False):
        faults, tokens, options = self.server.faults, self.server.tokens, self.server.options
        if faults.has("token-status"):
            self.fail(int(faults.get("token-status")))
        elif faults.has("token-garbage"):
            self.answer(200, b"{\"token\": ")
        elif faults.has("token-big"):
            self.answer(200, json.dumps({"token": "x" * int(faults.get("token-big"))}).encode())
        elif options.user and not granted and not self.right_credentials():
            self.fail(401, "UNAUTHORIZED", "incorrect username or password")
        else:
            reply = {"token": tokens.give("access"), "expires_in": 300}
            if "pull,push" in " ".join(query.get("scope", [])):
                tokens.push.add(reply["token"])
            if query.get("offline_token") == ["true"]:
                reply["refresh_token"] = tokens.give("identity")
            self.answer(200, json.dumps(reply).encode())

    # ---- content ---------------------------------------------------------------------------------

    def send_body(self, content, offset=0, stop=None):
        """`content` from `offset` on, as the faults want it."""
        slow = self.server.faults.get("slow")
        sent = 0
        while offset < len(content):
            size = 1 if slow else CHUNK
            if stop is not None:
                size = min(size, stop - sent)
                if size <= 0:
                    self.wfile.flush()
                    self.close_connection = True
                    self.connection.shutdown(socket.SHUT_RDWR)
                    return
            self.wfile.write(content[offset:offset + size])
            offset, sent = offset + size, sent + size
            if slow:
                self.wfile.flush()
                time.sleep(float(slow))

    def content_length(self, n_bytes):
        lie = self.server.faults.get("length")
        if lie:
            self.close_connection = True
        self.send_header("Content-Length", str(n_bytes + int(lie or 0)))

    def blob(self, hexadecimal):
        faults = self.server.faults
        path = os.path.join(self.server.options.root, "blobs", hexadecimal)
        if len(hexadecimal) != 64 or not os.path.isfile(path):
            self.fail(404, "BLOB_UNKNOWN", "blob unknown to registry")
            return
        with open(path, "rb") as file:
            content = memoryview(file.read())
        if faults.has("corrupt"):
            content = memoryview(bytes([content[0] ^ 0xFF]) + bytes(content[1:]))
        first = 0
        wanted = self.headers.get("Range", "")
        if wanted.startswith("bytes=") and not faults.has("range-ignored"):
            first = int(wanted[6:].split("-")[0])
        if first >= len(content) > 0:
            self.fail(416)
            return
        stop = faults.get("stop") or faults.once("stop-once", hexadecimal)
        extra = int(faults.get("extra") or 0)
        if faults.has("range-lies") and first:
            content = memoryview(bytes(len(content)))
        self.send_response(206 if first else 200)
        if first:
            told = first + 1 if faults.has("range-wrong") else first
            self.send_header("Content-Range", f"bytes {told}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Docker-Content-Digest", "sha256:" + hexadecimal)
        if extra:
            self.send_header("Connection", "close")
            self.close_connection = True
        else:
            self.content_length(len(content) - first)
        self.end_headers()
        if self.command != "HEAD":
            self.send_body(content, first, int(stop) if stop else None)
            if extra:
                self.wfile.write(bytes(extra))

    def manifest_path(self, repository, reference):
        reference = reference.removeprefix("sha256:")
        path = os.path.join(self.server.options.root, "manifests", repository, reference)
        if self.server.faults.has("moving"):
            with self.server.moves_lock:
                n = self.server.moves.get(path, 0)
                if os.path.isfile(f"{path}.{n + 1}"):
                    self.server.moves[path] = n + 1
                if n:
                    path = f"{path}.{n}"
        return path

    def manifest(self, repository, reference):
        faults = self.server.faults
        path = self.manifest_path(repository, reference)
        if ".." in path or not os.path.isfile(path):
            self.fail(404, "MANIFEST_UNKNOWN", "manifest unknown")
            return
        with open(path, "rb") as file:
            content = file.read()
        try:
            media_type = json.loads(content).get("mediaType", MANIFEST)
        except (ValueError, AttributeError):
            media_type = MANIFEST
        self.send_response(200)
        self.send_header("Content-Type", faults.get("content-type") or media_type)
        self.send_header("Docker-Content-Digest", "sha256:" + hashlib.sha256(content).hexdigest())
        if faults.has("endless"):
            self.send_header("Connection", "close")
            self.close_connection = True
        else:
            self.content_length(len(content))
        self.end_headers()
        if self.command != "HEAD":
            self.send_body(memoryview(content))
            while faults.has("endless"):
                self.wfile.write(b" " * CHUNK)

    def tags(self, repository, query):
        faults = self.server.faults
        folder = os.path.join(self.server.options.root, "manifests", repository)
        if ".." in repository or not os.path.isdir(folder):
            self.fail(404, "NAME_UNKNOWN", "repository name not known to registry")
            return
        names = sorted(name for name in os.listdir(folder) if len(name) != 64)
        last = query.get("last", [""])[0]
        names = [name for name in names if name > last]
        n = int(faults.get("page") or query.get("n", ["100"])[0])
        headers, page = [], names[:n]
        if faults.has("page-loop"):
            headers.append(("Link", f'<{self.path}>; rel="next"'))
        elif faults.has("page-elsewhere"):
            headers.append(("Link", f'<{faults.get("page-elsewhere")}>; rel="next"'))
        elif len(names) > n:
            headers.append(("Link", f'</v2/{repository}/tags/list?n={n}&last={page[-1]}>; rel="next"'))
        self.answer(200, json.dumps({"name": repository, "tags": page}).encode(), headers=headers)

    # ---- uploads ---------------------------------------------------------------------------------

    def upload_headers(self, repository, identity):
        faults = self.server.faults
        location = f"/v2/{repository}/blobs/uploads/{identity}?state=x"
        if faults.has("upload-absolute"):
            location = self.server.base() + location
        if faults.has("upload-location"):
            location = faults.get("upload-location").replace("%s", self.path)
        headers = [("Location", location), ("Docker-Upload-UUID", identity)]
        if not faults.has("upload-no-range"):
            arrived = len(self.server.uploads.get(identity, b""))
            headers.append(("Range", faults.get("upload-range") or f"0-{max(arrived - 1, 0)}"))
        return headers

    def store(self, name, content):
        path = os.path.join(self.server.options.root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path + ".new", "wb") as file:
            file.write(content)
        os.replace(path + ".new", path)

    def body(self, n_bytes):
        return self.rfile.read(n_bytes) if n_bytes else b""

    def hang_up(self):
        self.close_connection = True
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def patch_upload(self, repository, identity):
        faults, uploads = self.server.faults, self.server.uploads
        length = int(self.headers.get("Content-Length", "0"))
        wanted = self.headers.get("Content-Range", "0-").split("-")[0]
        if int(wanted) not in (0, len(uploads[identity])):
            self.body(length)
            self.fail(416, "RANGE_INVALID", "invalid content length")
            return
        if faults.count_down("upload-cuts"):
            kept = self.body(secrets.randbelow(length))
            if faults.has("upload-forget"):
                del uploads[identity]
            else:
                uploads[identity] += kept
            self.hang_up()
            return
        content = self.body(length)
        if faults.has("upload-takes"):
            content = content[:int(faults.get("upload-takes"))]
        uploads[identity] += content
        time.sleep(float(faults.get("upload-pause") or 0))
        while faults.has("upload-silent"):
            time.sleep(0.05)
        self.answer(202, headers=self.upload_headers(repository, identity))

    def put_upload(self, repository, identity, query):
        faults, uploads = self.server.faults, self.server.uploads
        content = uploads.pop(identity) + self.body(int(self.headers.get("Content-Length", "0")))
        digest = "sha256:" + hashlib.sha256(content).hexdigest()
        if query.get("digest") != [digest]:
            self.fail(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
            return
        self.store("blobs/" + digest[7:], bytes(content))
        if faults.once("put-lost", digest) is not None:
            self.hang_up()
            return
        told = "sha256:" + "0" * 64 if faults.has("put-lies") else digest
        self.answer(201, headers=[("Location", f"/v2/{repository}/blobs/{digest}"), ("Docker-Content-Digest", told)])

    def upload(self, repository, identity):
        faults, uploads = self.server.faults, self.server.uploads
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        if not self.may_write(repository):
            return
        status = faults.get("upload-status") or faults.once("upload-status-once", self.command)
        if status:
            self.body(int(self.headers.get("Content-Length", "0")))
            self.fail(int(status))
        elif self.command == "POST":
            identity = secrets.token_hex(16)
            uploads[identity] = bytearray()
            self.answer(202, headers=self.upload_headers(repository, identity))
        elif identity not in uploads:
            self.body(int(self.headers.get("Content-Length", "0")))
            self.fail(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry")
        elif self.command == "PATCH" and faults.has("upload-redirect"):
            self.body(int(self.headers.get("Content-Length", "0")))
            self.redirect(faults.get("upload-redirect"))
        elif self.command == "PATCH":
            self.patch_upload(repository, identity)
        elif self.command == "PUT":
            self.put_upload(repository, identity, query)
        elif self.command == "DELETE":
            del uploads[identity]
            self.answer(204)
        else:
            self.answer(204, headers=self.upload_headers(repository, identity))

    def put_manifest(self, repository, reference):
        content = self.body(int(self.headers.get("Content-Length", "0")))
        if not self.may_write(repository) or self.misbehave():
            return
        hexadecimal = hashlib.sha256(content).hexdigest()
        document = json.loads(content)
        named = [document["config"]["digest"]] + [layer["digest"] for layer in document["layers"]]
        for digest in named:
            if not os.path.isfile(os.path.join(self.server.options.root, "blobs", digest[7:])):
                self.fail(400, "MANIFEST_BLOB_UNKNOWN", "blob unknown to registry")
                return
        for name in (hexadecimal, reference.removeprefix("sha256:")):
            self.store(f"manifests/{repository}/{name}", content)
        self.answer(201, headers=[("Docker-Content-Digest", "sha256:" + hexadecimal)])

    # ---- routes ----------------------------------------------------------------------------------

    def misbehave(self):
        """Faults that concern every blob and manifest request. True if the request is dealt with."""
        faults = self.server.faults
        if faults.has("silent"):
            self.close_connection = True
            while faults.has("silent"):
                time.sleep(0.05)
            return True
        if faults.has("flood") or faults.has("long-header"):
            self.send_response(200)
            if faults.has("long-header"):
                self.send_header("X-Long", "x" * int(faults.get("long-header")))
            while faults.has("flood"):
                self.send_header("X-Flood", "x" * 1000)
                self.flush_headers()
                self.wfile.flush()
            self.end_headers()
            self.close_connection = True
            return True
        if faults.has("redirect-loop"):
            self.redirect(self.path)
            return True
        status = faults.get("status") or faults.once("status-once", self.path)
        if status:
            headers = [("WWW-Authenticate", self.challenge())] if status == "401" else []
            self.fail(int(status), headers=headers)
            return True
        return False

    def content(self, path):
        if "/blobs/uploads/" in path:
            repository, _, identity = path[len("/v2/"):].partition("/blobs/uploads/")
            self.upload(repository, identity)
            return
        repository, kind, reference = path[len("/v2/"):].rsplit("/", 2)
        if kind == "tags" and reference == "list" and self.command == "GET":
            if self.authorized(repository):
                self.tags(repository, urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query))
            return
        if self.command == "PUT" and kind == "manifests":
            self.put_manifest(repository, reference)
            return
        if kind not in ("blobs", "manifests"):
            self.fail(404)
            return
        if not self.authorized(repository) or self.misbehave():
            return
        to = self.server.faults.get("redirect" if kind == "blobs" else "redirect-manifest")
        if to:
            self.redirect(to)
        elif kind == "blobs":
            self.blob(reference.removeprefix("sha256:"))
        else:
            self.manifest(repository, reference)

    def search(self, query):
        """The first protocol's search: every repository whose name holds the word."""
        faults = self.server.faults
        if faults.get("search-says") or faults.get("search-status"):
            self.answer(int(faults.get("search-status") or 200), (faults.get("search-says") or "{}").encode())
            return
        root = os.path.join(self.server.options.root, "manifests")
        names = sorted(os.path.relpath(folder, root) for folder, _, files in os.walk(root) if files)
        found = [{"name": name, "description": f"The image {name}", "star_count": len(name), "is_automated": False,
                  "is_official": name.startswith("library/")} for name in names if query.get("q", [""])[0] in name]
        found = found[:int(query.get("n", ["25"])[0])]
        self.answer(200, json.dumps({"num_results": len(found), "query": query.get("q"), "results": found}).encode())

    def do_GET(self):
        self.note()
        url = urllib.parse.urlsplit(self.path)
        if url.path == "/v1/search":
            self.search(urllib.parse.parse_qs(url.query))
            return
        if url.path == "/token":
            self.token(urllib.parse.parse_qs(url.query))
        elif url.path in ("/v2", "/v2/"):
            if self.authorized():
                self.answer(200, b"{}")
        elif url.path.startswith("/v2/") and url.path.count("/") >= 4:
            self.content(url.path)
        else:
            self.fail(404)

    do_HEAD = do_PUT = do_PATCH = do_DELETE = do_GET

    def do_POST(self):
        self.note()
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        if self.path == "/faults":
            self.server.faults.replace(json.loads(body))
            self.answer(200, b"{}")
        elif self.path == "/token":
            form = urllib.parse.parse_qs(body.decode())
            granted = self.server.tokens.knows("identity", form.get("refresh_token", [""])[0])
            self.token(form, granted)
        elif self.path.startswith("/v2/"):
            self.content(urllib.parse.urlsplit(self.path).path)
        else:
            self.fail(404)


def parse_arguments():
    parser = argparse.ArgumentParser(description="a registry for tests")
    parser.add_argument("--root", required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--tls", nargs=2, metavar=("CERT", "KEY"))
    parser.add_argument("--auth", choices=("none", "basic", "bearer"), default="none")
    parser.add_argument("--user", default="")
    parser.add_argument("--password", default="")
    parser.add_argument("--realm")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--fault", action="append", default=[])
    parser.add_argument("--log")
    return parser.parse_args()


def main():
    server = Registry(parse_arguments())
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"listening on {server.options.host}:{server.server_address[1]}", flush=True)
    try:
        while sys.stdin.buffer.read(65536):
            pass
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
