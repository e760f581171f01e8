#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Raw bytes on the socket, and archives for `load` that claim what is not theirs.
source "$(dirname "$0")/../lib/system.sh"
source "$(dirname "$0")/lib/attack.sh"
attack_start
python3 "$ATTACK/raw.py" "$SOCKET" >"$WORK/raw"
is_ok() { [ "$1" = ok ] || { echo "$2"; return 1; }; }
while IFS=$'\t' read -r verdict name answer <&6; do
    check "raw: $name" is_ok "$verdict" "$answer"
done 6<"$WORK/raw"
attack "the API after all of them" true

python3 - "$ATTACK" "$WORK" <<'END_OF_ARCHIVES' || { echo "not ok - the archives can be made"; exit 1; }
import json
import sys
import tarfile
sys.path.insert(0, sys.argv[1])
import images
work = sys.argv[2]
base = images.base_layer(work + "/busybox.tar")
config = images.config_of([base])
def archive(name, manifest, *members):
    images.write(f"{work}/load-{name}.tar", [("manifest.json", json.dumps(manifest).encode()), *members])
def link(name, target, kind=tarfile.SYMTYPE):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info
good = {"Config": "config.json", "RepoTags": ["attack:load"], "Layers": ["layer.tar"]}
archive("config-as-path", [{**good, "Config": "../../../../etc/passwd"}], ("layer.tar", base))
archive("layer-as-path", [{**good, "Layers": ["../../../../etc/passwd"]}], ("config.json", config))
archive("layer-as-symlink-out", [good], ("config.json", config), link("layer.tar", "/etc/passwd"))
archive("layer-as-symlink-to-itself", [good], ("config.json", config), link("layer.tar", "layer.tar"))
archive("layer-as-device", [good], ("config.json", config), link("layer.tar", "", tarfile.CHRTYPE))
archive("tag-as-path", [{**good, "RepoTags": ["../../evil:latest"]}], ("config.json", config), ("layer.tar", base))
archive("tag-as-digest", [{**good, "RepoTags": ["busybox@sha256:" + "0" * 64]}], ("config.json", config), ("layer.tar", base))
archive("good-and-bad", [good, {**good, "Config": "none.json", "RepoTags": ["attack:bad"]}], ("config.json", config), ("layer.tar", base))
archive("no-layers", [{**good, "Layers": []}], ("config.json", config))
archive("deep", [good], ("x", b""))
images.write(f"{work}/load-manifest-deep.tar", [("manifest.json", b"[" * 100000)])
END_OF_ARCHIVES
for archive in "$WORK"/load-*.tar; do
    name=${archive##*/load-}
    attack "load: ${name%.tar}" refused . bulkhead load -i "$archive"
done
