#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What changes while we look at it, and what an image puts in our way: folders that turn into links and back while `cp`, `exec` and
# starts walk through them, processes of ours hunted for while they join a container, mount targets and programs of the image's choosing.
source "$(dirname "$0")/../lib/system.sh"
source "$(dirname "$0")/lib/attack.sh"

gcc -std=gnu17 -D_GNU_SOURCE -Wall -Wextra -Werror -O2 -static -o "$WORK/race" "$ATTACK/race.c" || { echo "not ok - the racer can be compiled"; exit 1; }
attack_start
escape_image "$WORK/race" || { echo "not ok - the image can be made"; exit 1; }
python3 - "$ATTACK" "$WORK" "$CANARY" <<'END_OF_IMAGES' || { echo "not ok - the images can be made"; exit 1; }
import sys
sys.path.insert(0, sys.argv[1])
import images
from tar import END, entry, folder, symlink
work, canary = sys.argv[2], sys.argv[3]
base = images.base_layer(work + "/busybox.tar")
def image(name, layer, **config):
    images.image(f"{work}/image-{name}.tar", f"attack:{name}", [base, layer + END], **config)
for name in ["dev/console", "dev/null", "dev/pts", "dev/shm", "dev/mqueue", "dev/fd", "etc/hosts", "etc/hostname", "etc/resolv.conf", "sys/fs/cgroup", "proc/sys", "proc/self"]:
    parent = b"".join(folder(name[:i]) for i in range(len(name)) if name[i] == "/")
    image("at-" + name.replace("/", "-"), parent + symlink(name, canary))
    image("loop-" + name.replace("/", "-"), parent + symlink(name, "/" + name))
image("link", symlink("link", canary) + symlink("up", "../../../../../../.." + canary) + symlink("proc-link", "/proc/1/root") + symlink("loop", "loop"))
marker = b"#!/bin/busybox sh\n/bin/busybox touch /marker\n"
image("trojans", folder("usr/bin") + b"".join(entry(f"{place}/{name}", content=marker, mode=0o755) for place in ["bin", "usr/bin", "usr/local/bin", "sbin"]
      for name in ["ps", "top", "tar", "xz", "gzip", "nsenter", "mount", "ls", "cat", "getent", "id", "ldd", "modprobe", "newuidmap", "docker-init"]))
END_OF_IMAGES
for image in "$WORK"/image-*.tar; do
    bulkhead load -i "$image" >/dev/null || echo "cannot be loaded: $image"
done
clean_up_images() {
    rm_containers
    local left
    left=$(bulkhead volume ls -q)
    [ -z "$left" ] || bulkhead volume rm -f $left >/dev/null
    left=$(bulkhead images --format '{{.Repository}}:{{.Tag}}' | grep '^taken' || true)
    [ -z "$left" ] || bulkhead rmi -f $left >/dev/null
}
stored >"$WORK/stored"
TIMES=15

# ---- a folder that is a link every other moment -----------------------------------------------------

# The naive reader that none of ours may be: on the host, in a folder of ours, it is led astray at once.
naive_reader_is_caught() {
    mkdir -p "$WORK/shared/x"
    echo decoy >"$WORK/shared/x/bird"
    ln -sfn "$CANARY" "$WORK/shared/y"
    "$WORK/race" swap "$WORK/shared/x" "$WORK/shared/y" 7>&- 8>&- 9>&- &
    local racer=$! status=0
    eventually caught || status=1
    kill $racer
    return $status
}
caught() { [ "$(cat "$WORK/shared/x/bird")" = "$CANARY_SAYS" ]; }

# swapping FUNCTION... : while a container swaps /shared/x, in a volume, with a link to the canary
swapping() {
    bulkhead volume create shared >/dev/null
    bulkhead run -d --name racer --network none -v shared:/shared attack:escape sh -c "mkdir -p /shared/x && echo decoy >/shared/x/bird &&
        ln -sfn '$CANARY' /shared/y && exec /escape swap /shared/x /shared/y" >/dev/null
    "$@"
    is_state racer running || { bulkhead logs racer; return 1; }
}
decoy_at_most() { # FILE... : what was read is the decoy or nothing
    ! grep -qra "$CANARY_SAYS" "$@" || { echo "the canary was read"; return 1; }
}
copies_out() {
    local i
    for ((i = 0; i < TIMES; i++)); do
        timeout 20 bulkhead cp racer:/shared/x/bird - || true
        timeout 20 bulkhead cp -L racer:/shared/x - || true
        timeout 20 bulkhead cp racer:/shared - || true
    done >"$WORK/taken" 2>/dev/null
    decoy_at_most "$WORK/taken"
    grep -qa decoy "$WORK/taken"
}
copies_in() {
    local i
    echo egg >"$WORK/egg"
    for ((i = 0; i < TIMES; i++)); do
        timeout 20 bulkhead cp "$WORK/egg" racer:/shared/x/egg || true
        timeout 20 bulkhead cp "$WORK/egg" racer:/shared/x || true
    done 2>/dev/null
    [ ! -e "$CANARY/egg" ]
}
enters() {
    local i
    for ((i = 0; i < TIMES; i++)); do
        timeout 20 bulkhead exec -w /shared/x racer cat bird || true
    done >"$WORK/taken" 2>/dev/null
    decoy_at_most "$WORK/taken"
}
# mounts are put at targets below the swapped folder (CVE-2021-30465)
starts_below() { # OPTION... : some of them run, when the folder is one
    local i ran=0
    for ((i = 0; i < TIMES; i++)); do
        timeout 20 bulkhead run --rm --network none -v shared:/shared "$@" attack:escape sh -c 'cat /shared/x/bird; true' && ran=$((ran + 1))
    done >"$WORK/taken" 2>/dev/null
    decoy_at_most "$WORK/taken"
    echo "$ran of $TIMES ran"
    [ $ran -gt 0 ]
}
takes_whole() {
    local i
    for ((i = 0; i < 5; i++)); do
        timeout 20 bulkhead diff racer || true
        timeout 20 bulkhead export racer || true
        timeout 20 bulkhead commit racer "taken:$i" || true
    done >"$WORK/taken" 2>/dev/null
    decoy_at_most "$WORK/taken"
}
swaps_own_files() {
    bulkhead run -d --name racer --network none attack:escape sh -c "mkdir /x && echo decoy >/x/bird && ln -s '$CANARY' /y && exec /escape swap /x /y" >/dev/null
    takes_whole
    for ((i = 0; i < TIMES; i++)); do timeout 20 bulkhead cp racer:/x/bird - || true; done >"$WORK/taken" 2>/dev/null
    decoy_at_most "$WORK/taken"
}

class "swap races"
check "on the host, a link that comes and goes leads a reader astray" naive_reader_is_caught
attack "cp out of a folder that is swapped" swapping copies_out
attack "cp into a folder that is swapped" swapping copies_in
attack "exec in a folder that is swapped" swapping enters
attack "start in a folder that is swapped" swapping starts_below -w /shared/x
attack "a tmpfs below a folder that is swapped" swapping starts_below --tmpfs /shared/x/mount
attack "a bind mount below a folder that is swapped" swapping starts_below -v "$WORK/shared:/shared/x/mount"
attack "a volume below a folder that is swapped" swapping starts_below -v other:/shared/x/mount
attack "a volume in place of a folder that is swapped" swapping starts_below -v other:/shared/x
attack "diff, export and commit of files that are swapped" swapping takes_whole
attack "the same in the container's own layer" swaps_own_files

# ---- processes of ours, while they join ---------------------------------------------------------------

hunted() { # OPTION... -- FUNCTION...
    local options=()
    while [ "$1" != -- ]; do
        options+=("$1")
        shift
    done
    shift
    sha256sum "$BIN"/* >"$WORK/programs"
    bulkhead run -d --name hunter --network none "${options[@]}" attack:escape /escape hunt >/dev/null
    "$@" >/dev/null
    bulkhead stop -t 10 hunter
    equal "$(bulkhead logs hunter)" looked
    sha256sum --quiet -c "$WORK/programs"
}
many() { # COMMAND...
    local i
    for ((i = 0; i < TIMES; i++)); do timeout 20 "$@"; done
}
proc_exe_entrypoint() { # the program executed is the one that executes: CVE-2019-5736
    sha256sum "$BIN"/* >"$WORK/programs"
    bulkhead run -d --name hunter --network none attack:escape sh -c 'ln -s /proc/self/exe /self; printf "#!/proc/self/exe\n" >/script; chmod +x /script; exec /escape hunt' >/dev/null
    local i
    for ((i = 0; i < TIMES; i++)); do
        timeout 20 bulkhead exec hunter /self true || true
        timeout 20 bulkhead exec hunter /script || true
        timeout 20 bulkhead exec hunter /proc/self/exe || true
    done
    bulkhead stop -t 10 hunter
    equal "$(bulkhead logs hunter)" looked
    sha256sum --quiet -c "$WORK/programs"
}
# In a root of its own on the host, where the programs of all others are not to be found, the hunter has plenty to catch.
hunter_catches() {
    mkdir -p "$WORK/root/proc"
    cp "$WORK/race" "$WORK/root/race"
    unshare -m sh -c "mount --rbind /proc '$WORK/root/proc' && exec timeout 2 chroot '$WORK/root' /race hunt" >"$WORK/catch" || true
    grep -q 'caught: /proc/[0-9]*/exe' "$WORK/catch" && grep -q '/mem' "$WORK/catch" && grep -q '/root/proc' "$WORK/catch"
}
class "processes that join"
check "on the host, the hunter catches" hunter_catches
attack "exec, hunted" hunted -- many bulkhead exec hunter true
attack "exec without no_new_privs, hunted" hunted --security-opt no-new-privileges=false -- many bulkhead exec hunter true
attack "exec as another user, hunted" hunted -- many bulkhead exec -u 1000 hunter true
attack "exec with a terminal, hunted" hunted -- many bulkhead exec -d -t hunter true
attack "exec beside an init, hunted" hunted --init -- many bulkhead exec hunter true
attack "cp out, hunted" hunted -- many bulkhead cp hunter:/bin/busybox "$WORK/taken"
attack "cp in, hunted" hunted -- many bulkhead cp "$ATTACK/race.c" hunter:/
attack "top, hunted" hunted -- many bulkhead top hunter
attack "diff, hunted" hunted -- many bulkhead diff hunter
attack "a hunter that may trace" hunted --cap-add SYS_PTRACE -- many bulkhead exec hunter true
attack "a program that is /proc/self/exe" proc_exe_entrypoint

# ---- mount targets and programs of the image's ---------------------------------------------------------

stays_inside() { # IMAGE OPTION... : refused in one line, or run with nothing of the canary to be seen
    local image=$1 status=0
    shift
    timeout 60 bulkhead run --rm --network none "$@" "attack:$image" sh -c 'cat /link/bird /up/bird /dev/console/bird /etc/hosts/bird /mnt/bird; true' >"$WORK/out" 2>"$WORK/err" || status=$?
    [ "$status" != 124 ] && [ "$status" -lt 128 ] || { echo "exit status $status"; cat "$WORK/err"; return 1; }
    decoy_at_most "$WORK/out"
}
class "mount targets"
for name in dev-console dev-null dev-pts dev-shm dev-mqueue dev-fd etc-hosts etc-hostname etc-resolv.conf sys-fs-cgroup proc-sys proc-self; do
    attack "/${name//-//} is a link out in the image" stays_inside "at-$name"
    attack "/${name//-//} is a link to itself in the image" stays_inside "loop-$name"
done
attack "/dev/console is a link out, with a terminal" stays_inside at-dev-console -t
for target in /link /link/below /up /up/below /proc-link /proc-link/etc /loop /link/../etc; do
    attack "a volume at $target, a link of the image" stays_inside link -v "there:$target"
    attack "a tmpfs at $target, a link of the image" stays_inside link --tmpfs "$target"
    attack "a working directory at $target, a link of the image" stays_inside link -w "$target"
done

runs_no_trojan() {
    bulkhead run -d --name trojan --network none attack:trojans sleep 1000 >/dev/null
    bulkhead top trojan
    bulkhead cp trojan:/etc - >/dev/null
    bulkhead cp "$ATTACK/race.c" trojan:/
    bulkhead export trojan >/dev/null
    bulkhead diff trojan
    bulkhead stats --no-stream trojan
    bulkhead commit trojan taken:1
    bulkhead exec -u root trojan busybox true
    bulkhead ps -as
    ! bulkhead exec trojan busybox ls /marker || return 1
    bulkhead exec trojan ps # and so the image's own program shows that it would have been noticed
    bulkhead exec trojan busybox ls /marker
}
class "programs of the image"
attack "none of an image's programs is run by us" runs_no_trojan
