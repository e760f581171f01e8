# SPDX-License-Identifier: Apache-2.0
"""Docker archives with the busybox layer below a hostile one."""
import hashlib
import json
import tarfile
import io
import platform

MACHINE = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), "amd64")


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def base_layer(archive):
    with tarfile.open(archive) as source:
        name = json.load(source.extractfile("manifest.json"))[0]["Layers"][0]
        return source.extractfile(name).read()


def config_of(layers, diff_ids=None, **container):
    diff_ids = diff_ids or ["sha256:" + sha256(layer) for layer in layers]
    container = {"Cmd": ["sh"], "Env": ["PATH=/bin:/usr/bin"], **container}
    return json.dumps({"architecture": MACHINE, "os": "linux", "config": container,
                       "rootfs": {"type": "layers", "diff_ids": diff_ids}}).encode()


def write(path, members):
    """members: (name, content) or TarInfo, in order"""
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as archive:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                archive.addfile(member)
                continue
            info = tarfile.TarInfo(member[0])
            info.size = len(member[1])
            archive.addfile(info, io.BytesIO(member[1]))


def image(path, name, layers, diff_ids=None, config=None, **container):
    config = config or config_of(layers, diff_ids, **container)
    names = [f"{i}/layer.tar" for i in range(len(layers))]
    manifest = json.dumps([{"Config": "config.json", "RepoTags": [name], "Layers": names}]).encode()
    write(path, [("manifest.json", manifest), ("config.json", config), *zip(names, layers)])
