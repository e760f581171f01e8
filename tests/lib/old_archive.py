#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Rewrites a docker-archive as `docker save` wrote it before version 25: a folder with VERSION, json and layer.tar for each layer, and
layer.tar of a layer that another image has already as a symbolic link.

    old_archive.py ARCHIVE OUTPUT [--twice]

--twice adds a second image (tag old/second:1) with the same layers, all of them links. --v1 leaves manifest.json out, as before 1.10.
"""
import argparse, hashlib, io, json, tarfile

parser = argparse.ArgumentParser()
parser.add_argument("archive")
parser.add_argument("output")
parser.add_argument("--twice", action="store_true")
parser.add_argument("--v1", action="store_true")
options = parser.parse_args()

source = tarfile.open(options.archive)
image = json.load(source.extractfile("manifest.json"))[0]
config = source.extractfile(image["Config"]).read()
target = tarfile.open(options.output, "w", format=tarfile.PAX_FORMAT)


def add(name, data):
    member = tarfile.TarInfo(name)
    member.size = len(data)
    target.addfile(member, io.BytesIO(data))


def add_folder(name):
    member = tarfile.TarInfo(name)
    member.type, member.mode = tarfile.DIRTYPE, 0o755
    target.addfile(member)


manifests = []
seen = {}
for number in range(2 if options.twice else 1):
    data = config if number == 0 else config.replace(b'"os"', b' "os"', 1)
    layers = []
    for layer in image["Layers"]:
        content = source.extractfile(layer).read()
        folder = hashlib.sha256(layer.encode() + bytes([number])).hexdigest()
        add_folder(folder + "/")
        add(folder + "/VERSION", b"1.0")
        add(folder + "/json", json.dumps({"id": folder}).encode())
        if layer in seen:
            link = tarfile.TarInfo(folder + "/layer.tar")
            link.type, link.linkname = tarfile.SYMTYPE, "../" + seen[layer] + "/layer.tar"
            target.addfile(link)
        else:
            add(folder + "/layer.tar", content)
            seen[layer] = folder
        layers.append(folder + "/layer.tar")
    name = hashlib.sha256(data).hexdigest() + ".json"
    add(name, data)
    tags = image["RepoTags"] if number == 0 else ["old/second:1"]
    manifests.append({"Config": name, "RepoTags": tags, "Layers": layers})
if not options.v1:
    add("manifest.json", json.dumps(manifests).encode())
add("repositories", json.dumps({"busybox": {"latest": manifests[0]["Layers"][-1].split("/")[0]}}).encode())
target.close()
