#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Images and options that try to get out of a container, or to be somebody else in it.
source "$(dirname "$0")/../lib/system.sh"
source "$(dirname "$0")/lib/attack.sh"
attack_start
BOB=61002
MALLORY=61003
python3 - "$ATTACK" "$WORK" "$CANARY" <<'END_OF_IMAGES' || { echo "not ok - the images can be made"; exit 1; }
import sys
sys.path.insert(0, sys.argv[1])
import images
from tar import END, entry, folder, symlink
work, canary = sys.argv[2], sys.argv[3]
base = images.base_layer(work + "/busybox.tar")
def image(name, layer=b"", **config):
    images.image(f"{work}/{name}.tar", f"attack:{name}", [base, layer + END], **config)
image("proc-link", symlink("proc", canary))
image("dev-link", symlink("dev", canary))
image("sys-link", symlink("sys", "/etc"))
image("etc-link", symlink("etc", canary))
image("exe", symlink("bin/self", "/proc/self/exe"), Entrypoint=["/bin/self", "echo", "self"])
for number in range(3, 12):
    image(f"cwd-{number}", WorkingDir=f"/proc/self/fd/{number}/../../..")
for name, user in [("user-2-32", "4294967296"), ("user-negative", "-1"), ("user-name", "root\nevil"), ("user-group", "0:4294967296"), ("user-2-31", "2147483648")]:
    image(name, User=user)
image("env-newline", Env=["PATH=/bin", "A=1\nLD_PRELOAD=/evil.so"])
image("volume", Volumes={"/../../../../etc": {}})
image("passwd", entry("etc/passwd", content=b"root:x:4294967296:0::/:/bin/sh\n" * 10))
END_OF_IMAGES
for image in "$WORK"/*-*.tar "$WORK"/exe.tar "$WORK"/volume.tar "$WORK"/passwd.tar; do
    bulkhead load -i "$image" >/dev/null || echo "cannot be loaded: $image"
done
clean_up_images() { local left; left=$(bulkhead ps -aq); [ -z "$left" ] || bulkhead rm -f $left >/dev/null; }
stored >"$WORK/stored"

run() { timeout 60 bulkhead run --rm --network none "$@"; }
not_run() { # PATTERN ARGUMENT... : refused in one line
    local pattern=$1
    shift
    refused "$pattern" bulkhead run --rm --network none "$@"
}
# either refused, or the command says that all is well inside
contained() { # IMAGE COMMAND
    local status=0
    timeout 60 bulkhead run --rm --network none "attack:$1" sh -c "$2" >"$WORK/out" 2>"$WORK/err" || status=$?
    [ "$status" != 124 ]
    [ "$status" -lt 128 ]
    { [ "$status" = 0 ] && ! [ -s "$WORK/err" ]; } || { cat "$WORK/out" "$WORK/err"; one_line "$WORK/err"; [ "$status" -ge 125 ]; }
}
no_cwd_outside() { contained "cwd-$1" 'case $(pwd -P) in "" | *unreachable* | /work*) exit 1;; esac; ! test -e ./etc/shadow'; }
cannot_write_core_pattern() {
    equal "$(run busybox sh -c 'echo "|/evil" >/proc/sys/kernel/core_pattern 2>/dev/null || echo refused; echo b >/proc/sysrq-trigger 2>/dev/null || echo refused')" $'refused\nrefused'
}
# a program, since refused() runs its command under timeout
cat >"$WORK/as-mallory" <<END
#!/bin/sh
exec setpriv --reuid $MALLORY --regid $MALLORY --clear-groups "\$@"
END
chmod 0755 "$WORK/as-mallory"
stays_below_our_cgroup() { # PARENT: where containers live is policyd's choice, whatever a client asks for
    local pid status=0
    timeout 60 bulkhead run -d --name parent --network none --cgroup-parent "$1" busybox sleep 100 || return 0
    pid=$(bulkhead inspect -f '{{.State.Pid}}' parent)
    ! grep -v "/$CGROUP/" "/proc/$pid/cgroup" | grep -v ':/$' || status=1
    bulkhead rm -f parent
    return $status
}
another_tenants_file() { # PATTERN SOURCE
    chmod 0755 "$ENGINE"
    chmod 0666 "$SOCKET"
    chmod 0644 "$WORK/busybox.tar"
    "$WORK/as-mallory" "$bulkhead" load -i "$WORK/busybox.tar" >/dev/null
    local status=0
    refused "$1" "$WORK/as-mallory" "$bulkhead" run --rm --network none -v "$2:/mnt" busybox cat /mnt || status=$?
    "$WORK/as-mallory" "$bulkhead" rmi -f busybox >/dev/null
    return $status
}
mkdir -p "$WORK/of-mallory" "$WORK/of-bob"
chown $MALLORY:$MALLORY "$WORK/of-mallory"
chown $BOB:$BOB "$WORK/of-bob"
ln -s "$SOCKET" "$WORK/of-mallory/socket"
ln -s "$CANARY" "$WORK/of-mallory/canary"
ln -s /proc/1/root "$WORK/of-mallory/root"

for number in 3 4 5 6 7 8 9 10 11; do
    attack "working directory /proc/self/fd/$number of an image" no_cwd_outside $number
done
attack "working directory /proc/self/fd/7 of a request" not_run '.' -w /proc/self/fd/7 busybox cat etc/shadow
attack "/proc is a symlink in the image" contained proc-link 'test -e /proc/self/status'
attack "/dev is a symlink in the image" contained dev-link 'test -c /dev/null'
attack "/sys is a symlink in the image" contained sys-link 'true'
attack "/etc is a symlink in the image" contained etc-link 'true'
attack "an entrypoint of /proc/self/exe" contained exe 'true'
attack "a mount over /proc" not_run 'proc' --tmpfs /proc busybox true
attack "a mount over /proc/self" not_run 'proc' -v "$CANARY:/proc/self" busybox true
attack "a mount over /sys hides it from itself alone" run --tmpfs /sys busybox true
attack "a mount over /proc by dot-dot" not_run '.' -v "$CANARY:/tmp/../proc" busybox true
attack "USER 4294967296" not_run 'user|uid' attack:user-2-32 id
attack "USER -1" not_run 'user|uid' attack:user-negative id
attack "USER with a new line" not_run 'user|passwd|name' attack:user-name id
attack "group 4294967296" not_run 'group|gid' attack:user-group id
attack "USER 2147483648" not_run 'user|uid|range' attack:user-2-31 id
attack "user 4294967296 of a request" not_run 'user|uid' -u 4294967296 busybox id
attack "passwd that makes root 4294967296" not_run '.' -u root attack:passwd id
attack "an environment variable with a new line stays one" contained env-newline '[ -z "$LD_PRELOAD" ]'
attack "a volume at ../../etc" contained volume 'true'
attack "kernel.core_pattern" not_run 'sysctl|core_pattern' --sysctl 'kernel.core_pattern=|/evil' busybox true
attack "kernel.core_pattern by its path" not_run 'sysctl|core_pattern' --sysctl 'kernel/core_pattern=|/evil' busybox true
attack "a sysctl that climbs" not_run 'sysctl' --sysctl 'net.ipv4/../../kernel/core_pattern=x' busybox true
attack "core_pattern from inside" cannot_write_core_pattern
attack "cgroup parent ../.." stays_below_our_cgroup ../..
attack "cgroup parent /../evil" stays_below_our_cgroup /../evil
attack "a log option with a path" not_run 'log' --log-opt path=/etc/cron.d/evil busybox true
attack "the engine's socket through a symlink" another_tenants_file 'belongs to|not allowed|rule|refused|denied' "$WORK/of-mallory/socket"
attack "root's folder through a symlink" another_tenants_file 'belongs to|not allowed|rule|refused|denied' "$WORK/of-mallory/canary"
attack "the host's root through /proc/1/root" another_tenants_file 'belongs to|not allowed|rule|refused|denied' "$WORK/of-mallory/root"
attack "another tenant's folder" another_tenants_file 'belongs to|not allowed|rule|refused|denied' "$WORK/of-bob"
attack "/etc/shadow" another_tenants_file 'belongs to|not allowed|rule|refused|denied' /etc/shadow
