#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Images for tests, without a builder.

    images.py folder ARCHIVE REPOSITORY TAG FOLDER [--architecture A] [--index] [--diff-id-wrong] [--layer-corrupt] [--digest-wrong]
        Takes the image in a docker-archive apart into FOLDER/blobs/<hex> and FOLDER/manifests/REPOSITORY/TAG (Docker schema 2,
        gzip layers): what registry.py serves. --index puts a list of one platform before it; the others spoil it.
    images.py push FOLDER REPOSITORY TAG URL [--user NAME:PASSWORD] [--ca FILE]
        Uploads what `folder` made to a registry.
    images.py archive OUTPUT NAME:TAG LAYER.tar...
        Makes a docker-archive of ready layers, base first.
"""
import argparse
import base64
import gzip
import hashlib
import io
import json
import os
import platform
import ssl
import tarfile
import urllib.request

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
INDEX = "application/vnd.docker.distribution.manifest.list.v2+json"
CONFIG = "application/vnd.docker.container.image.v1+json"
LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
MACHINE = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), "amd64")


def digest(content):
    return hashlib.sha256(content).hexdigest()


def write_blob(folder, content, name=None):
    os.makedirs(os.path.join(folder, "blobs"), exist_ok=True)
    name = name or digest(content)
    with open(os.path.join(folder, "blobs", name), "wb") as blob:
        blob.write(content)
    return name


def folder(arguments):
    with tarfile.open(arguments.archive) as archive:
        entry = json.load(archive.extractfile("manifest.json"))[0]
        config = json.load(archive.extractfile(entry["Config"]))
        layers = [archive.extractfile(name).read() for name in entry["Layers"]]
    if arguments.architecture:
        config["architecture"] = arguments.architecture
    config_architecture = config["architecture"]
    if arguments.diff_id_wrong:
        config["rootfs"]["diff_ids"] = ["sha256:" + digest(b"other")] * len(layers)
    packed = [gzip.compress(layer, 6, mtime=0) for layer in layers]
    if arguments.layer_corrupt:
        packed = [layer[:len(layer) // 2] + b"garbage" + layer[len(layer) // 2 + 7:] for layer in packed]
    config = json.dumps(config).encode()
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST,
                "config": {"mediaType": CONFIG, "size": len(config), "digest": "sha256:" + write_blob(arguments.folder, config)},
                "layers": []}
    for layer in packed:
        name = digest(layer)
        content = layer[:-1] + bytes([layer[-1] ^ 1]) if arguments.digest_wrong else layer
        write_blob(arguments.folder, content, name)
        manifest["layers"].append({"mediaType": LAYER, "size": len(layer), "digest": "sha256:" + name})
    path = os.path.join(arguments.folder, "manifests", arguments.repository)
    os.makedirs(path, exist_ok=True)
    content = json.dumps(manifest).encode()
    top = content
    if arguments.index:
        top = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [
            {"mediaType": MANIFEST, "size": len(content), "digest": "sha256:" + digest(content),
             "platform": {"os": "linux", "architecture": config_architecture}}]}).encode()
    for name, document in ((arguments.tag, top), (digest(top), top), (digest(content), content)):
        with open(os.path.join(path, name), "wb") as output:
            output.write(document)
    print("sha256:" + digest(top))


class Registry:
    def __init__(self, url, user, authority):
        context = ssl.create_default_context(cafile=authority) if authority else None
        handlers = [urllib.request.HTTPSHandler(context=context)] if context else []
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), *handlers)
        self.url = url
        self.headers = {}
        if user:
            self.headers["Authorization"] = "Basic " + base64.b64encode(user.encode()).decode()

    def ask(self, method, path, body=None, kind="application/octet-stream"):
        request = urllib.request.Request(path if "://" in path else self.url + path, data=body, method=method,
                                         headers={**self.headers, "Content-Type": kind})
        return self.opener.open(request)


def push(arguments):
    registry = Registry(arguments.url, arguments.user, arguments.ca)
    with open(os.path.join(arguments.folder, "manifests", arguments.repository, arguments.tag), "rb") as manifest_file:
        manifest = manifest_file.read()
    described = json.loads(manifest)
    for entry in [described["config"], *described["layers"]]:
        place = registry.ask("POST", f"/v2/{arguments.repository}/blobs/uploads/", b"").headers["Location"]
        with open(os.path.join(arguments.folder, "blobs", entry["digest"].split(":")[1]), "rb") as blob:
            registry.ask("PUT", place + ("&" if "?" in place else "?") + "digest=" + entry["digest"], blob.read())
    registry.ask("PUT", f"/v2/{arguments.repository}/manifests/{arguments.tag}", manifest, MANIFEST)


def archive(arguments):
    layers = []
    for path in arguments.layers:
        with open(path, "rb") as layer:
            layers.append(hashlib.file_digest(layer, "sha256").hexdigest())
    config = json.dumps({"architecture": MACHINE, "os": "linux", "created": "1970-01-01T00:00:00Z",
                         "config": {"Cmd": ["sh"], "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]},
                         "rootfs": {"type": "layers", "diff_ids": ["sha256:" + layer for layer in layers]}}).encode()
    manifest = json.dumps([{"Config": digest(config) + ".json", "RepoTags": [arguments.name],
                            "Layers": [f"{i}/layer.tar" for i in range(len(layers))]}]).encode()
    with tarfile.open(arguments.output, "w") as output:
        for name, content in [(digest(config) + ".json", config), ("manifest.json", manifest)]:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            output.addfile(info, io.BytesIO(content))
        for i, path in enumerate(arguments.layers):
            output.add(path, f"{i}/layer.tar", recursive=False)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("folder")
    for name in ("archive", "repository", "tag", "folder"):
        command.add_argument(name)
    command.add_argument("--architecture")
    for flag in ("--index", "--diff-id-wrong", "--layer-corrupt", "--digest-wrong"):
        command.add_argument(flag, action="store_true")
    command.set_defaults(run=folder)
    command = commands.add_parser("push")
    for name in ("folder", "repository", "tag", "url"):
        command.add_argument(name)
    command.add_argument("--user")
    command.add_argument("--ca")
    command.set_defaults(run=push)
    command = commands.add_parser("archive")
    command.add_argument("output")
    command.add_argument("name")
    command.add_argument("layers", nargs="+")
    command.set_defaults(run=archive)
    arguments = parser.parse_args()
    arguments.run(arguments)


main()
