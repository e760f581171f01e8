#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Hostile manifests and configurations for registry.py: documents.py GOOD_FOLDER REPOSITORY HONEYPOT_PORT

Takes the good manifest REPOSITORY/1 and writes REPOSITORY/<case> next to it. Prints `case<TAB>pattern` for each: how a pull of it is
refused."""
import copy
import hashlib
import json
import os
import sys

folder, repository, port = sys.argv[1], sys.argv[2], sys.argv[3]
place = os.path.join(folder, "manifests", repository)
with open(os.path.join(place, "1"), encoding="utf-8") as file:
    GOOD = json.load(file)
INDEX = "application/vnd.oci.image.index.v1+json"


def case(name, pattern, document):
    content = document if isinstance(document, (bytes, str)) else json.dumps(document)
    content = content.encode() if isinstance(content, str) else content
    for path in (name, hashlib.sha256(content).hexdigest()):
        with open(os.path.join(place, path), "wb") as output:
            output.write(content)
    print(name, pattern, sep="\t")


def with_layer(**fields):
    document = copy.deepcopy(GOOD)
    document["layers"][0].update(fields)
    return document


def with_config(content):
    content = content if isinstance(content, bytes) else json.dumps(content).encode()
    name = hashlib.sha256(content).hexdigest()
    with open(os.path.join(folder, "blobs", name), "wb") as output:
        output.write(content)
    document = copy.deepcopy(GOOD)
    document["config"].update(size=len(content), digest="sha256:" + name)
    return document


def config_with(**fields):
    with open(os.path.join(folder, "blobs", GOOD["config"]["digest"][7:]), encoding="utf-8") as config_file:
        return with_config({**json.load(config_file), **fields})


def main():
    digest = GOOD["layers"][0]["digest"]
    case("schema-1", r"schema", {"schemaVersion": 1, "name": repository, "tag": "1", "fsLayers": [{"blobSum": digest}], "history": []})
    case("layers-and-manifests", r"manifests|both|index", {**GOOD, "manifests": []})
    case("media-type-of-an-index", r"media|index|manifests|layers", {**GOOD, "mediaType": INDEX})
    case("unknown-media-type", r"text/html", {**GOOD, "mediaType": "text/html"})
    case("no-schema-version", r"schemaVersion", {k: v for k, v in GOOD.items() if k != "schemaVersion"})
    text = json.dumps(GOOD)
    case("duplicate-keys", r"twice|duplicate", text[:-1] + ', "layers": []}')
    case("missing-size", r"size", {**GOOD, "layers": [{k: v for k, v in GOOD["layers"][0].items() if k != "size"}]})
    case("negative-size", r"size", with_layer(size=-1))
    case("size-of-2-63", r"size|integer|JSON", with_layer(size=1 << 63))
    case("size-as-text", r"size", with_layer(size="12"))
    case("size-of-0", r"size|empty", with_layer(size=0))
    case("size-too-small", r"size|bytes|longer|more|length", with_layer(size=GOOD["layers"][0]["size"] - 1))
    case("size-too-large", r"size|bytes|short|end|length", with_layer(size=GOOD["layers"][0]["size"] + 1))
    case("digest-as-path", r"digest", with_layer(digest="sha256:../../x"))
    case("digest-short", r"digest", with_layer(digest=digest[:-1]))
    case("digest-upper-case", r"digest", with_layer(digest="sha256:" + digest[7:].upper()))
    case("digest-unknown", r"digest", with_layer(digest="md5:d41d8cd98f00b204e9800998ecf8427e"))
    case("digest-with-nul", r"digest|JSON|\\u0000", with_layer(digest=digest + "\0"))
    case("foreign-urls", r"url|foreign|media|not supported|nondistributable",
         with_layer(mediaType="application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", urls=[f"http://127.0.0.1:{port}/layer"]))
    case("many-layers", r"layers|large|bytes", {**GOOD, "layers": GOOD["layers"] * 5000})
    case("deep", r"JSON|deep|depth|large", '{"schemaVersion": 2, "a": ' + "[" * 900 + "]" * 900 + "}")
    case("not-json", r"JSON|json", b"\xff\xfe<html>")
    case("config-not-json", r"JSON|json|config", with_config(b"{"))
    case("config-of-another-os", r"os|platform|windows", config_with(os="windows"))
    case("config-diff-ids-as-path", r"diff|digest", config_with(rootfs={"type": "layers", "diff_ids": ["sha256:../../x"]}))
    case("config-more-diff-ids", r"diff|layers", config_with(rootfs={"type": "layers", "diff_ids": ["sha256:" + "0" * 64] * 2}))
    case("config-env-with-nul", r"NUL|JSON|\\u0000", config_with(config={"Env": ["A=1\0B=2"]}))
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": []}
    case("empty-index", r"no match|empty|manifest", index)
    # an index that names an index that names an index ...
    inner = json.dumps(index).encode()
    for _ in range(10):
        inner = json.dumps({**index, "manifests": [{"mediaType": INDEX, "size": len(inner), "digest": "sha256:" + hashlib.sha256(inner).hexdigest(),
                                                    "platform": {"os": "linux", "architecture": "amd64"}}]}).encode()
        with open(os.path.join(place, hashlib.sha256(inner).hexdigest()), "wb") as output:
            output.write(inner)
    case("nested-indexes", r"index|media|no match", inner)


main()
