# SPDX-License-Identifier: Apache-2.0
"""Archives with everything that tar can say: seeds for whatever reads archives."""
import bz2
import gzip
import hashlib
import io
import json
import lzma
import subprocess
import tarfile


def member(name, content=b"", **attributes):
    info = tarfile.TarInfo(name)
    info.size = len(content)
    info.mtime = 1700000000
    for key, value in attributes.items():
        setattr(info, key, value)
    return info, content


def archive(members, form=tarfile.PAX_FORMAT):
    output = io.BytesIO()
    with tarfile.open(fileobj=output, mode="w", format=form) as tar:
        for info, content in members:
            tar.addfile(info, io.BytesIO(content))
    return output.getvalue().rstrip(b"\0") + bytes(1024)


TREE = [
    member("a/", type=tarfile.DIRTYPE, mode=0o1777), member("a/file", b"content", uid=1000, gid=1001, mode=0o4755), member("a/again", type=tarfile.LNKTYPE, linkname="a/file"),
    member("b/", type=tarfile.DIRTYPE), member("a/link", type=tarfile.SYMTYPE, linkname="/b"), member("a/link/through", b"x"), member("fifo", type=tarfile.FIFOTYPE),
    member("device", type=tarfile.CHRTYPE, devmajor=1, devminor=3), member("block", type=tarfile.BLKTYPE, devmajor=8), member("a/.wh.gone"), member("b/.wh..wh..opq"),
]
ARCHIVES = {
    "pax": archive(TREE + [member("attributes", b"y" * 600, pax_headers={"SCHILY.xattr.user.a": "b", "SCHILY.xattr.security.capability": "\1\0\0\2",
                                                                       "mtime": "1.5", "LIBARCHIVE.xattr.user.c": "ZA=="})]),
    "ustar": archive(TREE, tarfile.USTAR_FORMAT),
    "gnu": archive(TREE + [member("l" * 120 + "/" + "n" * 120, b"z"), member("to", type=tarfile.SYMTYPE, linkname="t" * 200)], tarfile.GNU_FORMAT),
    "sparse": archive([member("holes", b"1\n0\n4\n" + bytes(506) + b"data", pax_headers={"GNU.sparse.major": "1", "GNU.sparse.minor": "0",
                                                                                     "GNU.sparse.name": "holes", "GNU.sparse.realsize": "65536"})]),
    "above": archive([member("../x", b"1")]),
    "absolute": archive([member("/etc/x", b"2")]),
    "through-up": archive([member("up", type=tarfile.SYMTYPE, linkname=".."), member("up/canary", b"3"), member("up/../canary", b"3")]),
    "through-root": archive([member("root", type=tarfile.SYMTYPE, linkname="/.."), member("root/canary", b"4")]),
    "hard": archive([member("hard", type=tarfile.LNKTYPE, linkname="../canary"), member("x", b"1")]),
    "to-link": archive([member("link", type=tarfile.SYMTYPE, linkname="../canary"), member("hard", type=tarfile.LNKTYPE, linkname="link"), member("hard", b"5"), member("link", b"6")]),
    "files": archive([member("attributes", b"y" * 600, pax_headers={"SCHILY.xattr.user.a": "b", "SCHILY.xattr.security.capability": "\1\0\0\2" + 16 * "\0"}),
                      member("large", bytes(70000), mode=0o6711, uid=70000, gid=-1), member("one", b"1"), member("two", type=tarfile.LNKTYPE, linkname="one"),
                      member("pipe", type=tarfile.FIFOTYPE), member("folder/in/folder/file", b"2", mtime=-5)]),
    "replaced": archive([member("x", b"1"), member("x/", type=tarfile.DIRTYPE), member("x/y", b"2"), member("x", type=tarfile.SYMTYPE, linkname="z"), member("x", b"3")]),
    "acl": archive([member("acl", b"1", pax_headers={"SCHILY.acl.access": "user::rwx,user:1000:r--,user:5:rw-,group::r-x,group:7:r--,group:6:rwx,mask::r-x,other::---"})]),
    "acl-of-folder": archive([member("d/", type=tarfile.DIRTYPE, pax_headers={"SCHILY.acl.default": "user::rwx,group::r-x,group:7:r--,mask::r-x,other::---"})]),
    "devices": archive([member("b/", type=tarfile.DIRTYPE), member("null", type=tarfile.CHRTYPE, devmajor=1, devminor=3), member("./", type=tarfile.DIRTYPE), member("b/x", b"1")]),
    "folder-for-file": archive([member("b/", type=tarfile.DIRTYPE), member("b/x/", type=tarfile.DIRTYPE), member("b/x", b"1")]),
    "file-for-folder": archive([member("b", b"1"), member("b/", type=tarfile.DIRTYPE), member("b/c", b"2"), member("d", b"3")]),
    "contiguous": archive([member("c", b"1", type=tarfile.CONTTYPE)]),
    "empty": bytes(1024),
}


def zstd(content):
    return subprocess.run(["zstd", "-q", "-c"], input=content, capture_output=True, check=True).stdout


def layers():
    """Archives as layers come: plain and compressed in every way."""
    found = dict(ARCHIVES)
    packed = {"gz": lambda content: gzip.compress(content, mtime=0), "bz2": bz2.compress, "xz": lzma.compress, "zst": zstd}
    for name, pack in packed.items():
        found[f"pax.{name}"] = pack(ARCHIVES["pax"])
        found[f"twice.{name}"] = pack(ARCHIVES["pax"][:1024]) + pack(ARCHIVES["pax"][1024:])
    return found


def images():
    """What `load` reads: both kinds of archives, and what is wrong with them."""
    layer = ARCHIVES["ustar"]
    config = json.dumps({"architecture": "amd64", "os": "linux", "config": {"Cmd": ["sh"]},
                         "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(layer).hexdigest()]}}).encode()
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in (("config", config), ("layer", layer))}
    manifest = json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
                           "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "size": len(config), "digest": "sha256:" + digests["config"]},
                           "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar", "size": len(layer), "digest": "sha256:" + digests["layer"]}]}).encode()
    digest = hashlib.sha256(manifest).hexdigest()
    index = json.dumps({"schemaVersion": 2, "manifests": [{"mediaType": "application/vnd.oci.image.manifest.v1+json", "size": len(manifest), "digest": "sha256:" + digest,
                                                          "annotations": {"io.containerd.image.name": "docker.io/library/a:1", "org.opencontainers.image.ref.name": "1"}}]}).encode()
    old = json.dumps([{"Config": "config.json", "RepoTags": ["a:1"], "Layers": ["layer/layer.tar"]}]).encode()
    blobs = [member(f"blobs/sha256/{name}", content) for name, content in ((digests["config"], config), (digests["layer"], layer), (digest, manifest))]
    many = json.dumps([{"Config": "config.json", "RepoTags": None, "Layers": ["layer/layer.tar"] * 200}]).encode()
    named = json.dumps([{"Config": "config.json", "RepoTags": [f"a:{number}" for number in range(1100)], "Layers": ["layer/layer.tar"]}]).encode()
    other = index.replace(b'"size": %d' % len(manifest), b'"size": 1')
    return {
        "too-many-layers": archive([member("manifest.json", many), member("config.json", config), member("layer/layer.tar", layer)]),
        "too-many-names": archive([member("manifest.json", named), member("config.json", config), member("layer/layer.tar", layer)]),
        "other-size": archive([member("oci-layout", b'{"imageLayoutVersion":"1.0.0"}'), member("index.json", other)] + blobs),
        "no-index": archive([member("oci-layout", b'{"imageLayoutVersion":"1.0.0"}'), member("index.json", b"{}")] + blobs),
        "docker": archive([member("manifest.json", old), member("config.json", config), member("layer/layer.tar", layer), member("repositories", b'{"a":{"1":"x"}}')]),
        "linked": archive([member("manifest.json", old), member("config.json", config), member("layer/layer.tar", type=tarfile.SYMTYPE, linkname="../x.tar"), member("x.tar", layer)]),
        "oci": archive([member("oci-layout", b'{"imageLayoutVersion":"1.0.0"}'), member("index.json", index)] + blobs),
    }
