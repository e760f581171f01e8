#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Layer images under the kernel of Debian 12, whatever kernel runs here: a virtual machine (qemu, in software) mounts them through loop devices
# and lists them, and the lists must be those of this kernel. Downloads Debian's kernel package (70 MB), which is not installed.
source "$(dirname "$0")/../lib/system.sh"
source "$(dirname "$0")/lib/machine.sh"

VM_SECONDS=120
MODULES="kernel/crypto/crc32c_generic kernel/lib/libcrc32c kernel/fs/erofs/erofs kernel/drivers/block/loop kernel/fs/overlayfs/overlay"

# ---- the layers --------------------------------------------------------------------------------------

# take_layer NAME TAR : the image that the store has of this layer
take_layer() {
    cp "$ENGINE/state/store/layers/$(sha256sum "$2" | cut -d ' ' -f 1)" "$VM/images/$1"
}
make_layers() {
    tar -xOf "$WORK/busybox.tar" --wildcards '*/layer.tar' >"$WORK/busybox-layer.tar" &&
        python3 "$TESTS/vm/lib/layers.py" "$WORK/base.tar" "$WORK/upper.tar" &&
        python3 "$TESTS/lib/images.py" archive "$WORK/both.tar" vm:both "$WORK/base.tar" "$WORK/upper.tar" &&
        bulkhead load -i "$WORK/both.tar" &&
        take_layer busybox "$WORK/busybox-layer.tar" && take_layer base "$WORK/base.tar" && take_layer upper "$WORK/upper.tar"
}

# ---- the machine -------------------------------------------------------------------------------------

# $VM is the root of the machine, and of the listing here: the same programs list on both sides.
make_root() {
    local library
    mkdir -p "$VM"/{bin,dev,proc,images,modules,mnt/{busybox,base,upper,stack}}
    cp /bin/busybox /usr/bin/getfattr "$VM/bin/"
    ln -s busybox "$VM/bin/sh"
    for library in $(ldd /usr/bin/getfattr | grep -o '/[^ ]*'); do
        mkdir -p "$VM$(dirname "$library")"
        cp -L "$library" "$VM$library"
    done
    machine_take_modules $MODULES || return 1
    # in the order of the directories, so that this is compared too; of a file's many names one is read
    cat >"$VM/list" <<'SCRIPT'
cd "$1" || exit 1
busybox find . -exec busybox stat -c '%A %f %u:%g size %s links %h device %t:%T %y %N' {} +
busybox find . -type f '(' -links 1 -o -name busybox -o -name first ')' -exec busybox sha256sum {} +
getfattr -R -h -d -m - -e hex .
SCRIPT
    cat >"$VM/init" <<'SCRIPT'
#!/bin/busybox sh
export PATH=/bin
busybox mount -t devtmpfs dev /dev
busybox mount -t proc proc /proc
busybox stty -F /dev/ttyS1 raw
exec >/dev/ttyS1 2>&1
part() { # NAME COMMAND...
    local name=$1
    shift
    echo "=== begin $name"
    "$@"
    echo "=== status $?"
    echo "=== end $name"
}
for module in @MODULES@; do
    part "module ${module##*/}" busybox insmod "/modules/${module##*/}.ko"
done
part kernel busybox uname -r
for layer in busybox base upper; do
    part "mount $layer" busybox mount -t erofs -o ro,loop "/images/$layer" "/mnt/$layer"
    part "list $layer" sh /list "/mnt/$layer"
done
part "mount stack" busybox mount -t overlay -o ro,lowerdir=/mnt/upper:/mnt/base stack /mnt/stack
part "list stack" sh /list /mnt/stack
part run busybox chroot /mnt/busybox /bin/echo "from the layer"
busybox poweroff -f
SCRIPT
    sed -i "s|@MODULES@|$MODULES|" "$VM/init"
    chmod 0755 "$VM/init"
    machine_pack
}

# The same mounts and lists under this kernel; they are gone with their namespace.
list_here() {
    unshare --mount --propagation private bash -e -s "$VM" "$WORK" <<'SCRIPT'
for layer in busybox base upper; do
    mount -t erofs -o ro,loop "$1/images/$layer" "$1/mnt/$layer"
    chroot "$1" /bin/busybox env PATH=/bin sh /list "/mnt/$layer" >"$2/here.$layer" 2>&1
done
mount -t overlay -o "ro,lowerdir=$1/mnt/upper:$1/mnt/base" stack "$1/mnt/stack"
chroot "$1" /bin/busybox env PATH=/bin sh /list /mnt/stack >"$2/here.stack" 2>&1
SCRIPT
}

# part_of NAME : what the machine printed there, without the status
part_of() { sed -n "/^=== begin $1\$/,/^=== status /p" "$WORK/answers" | sed '1d;$d'; }
succeeded() {
    equal "$(sed -n "/^=== begin $1\$/,/^=== end $1\$/s/^=== status //p" "$WORK/answers")" 0 "$1" || { part_of "$1" | tail -5; return 1; }
}

# ---- checks ------------------------------------------------------------------------------------------

machine_ran() {
    equal "$vm_status" 0 "qemu" || { cat "$WORK/qemu"; tail -20 "$WORK/console"; return 1; }
    grep -q 'reboot: Power down' "$WORK/console"
    matches "$(part_of kernel)" '^6\.1\.'
    local module
    for module in $MODULES; do succeeded "module ${module##*/}"; done
}
mounts() { succeeded "mount $1"; }
lists_the_same() { # NAME LINES : and there are at least so many
    succeeded "list $1"
    part_of "list $1" >"$WORK/there.$1"
    [ "$(wc -l <"$WORK/here.$1")" -ge "$2" ] || { echo "the list is too short"; tail "$WORK/here.$1"; return 1; }
    diff "$WORK/here.$1" "$WORK/there.$1" | head -20
    cmp "$WORK/here.$1" "$WORK/there.$1"
}
says() { # NAME PATTERN... : the machine's list of that layer has a line like it
    local name=$1 pattern
    shift
    for pattern in "$@"; do
        grep -qE -- "$pattern" "$WORK/there.$name" || { echo "nowhere: $pattern"; return 1; }
    done
}
base_is_whole() {
    equal "$(grep -c '^-.* \./many/' "$WORK/there.base")" 3000 "files of the large directory"
    says base '^-rwsr-xr-x .* \./modes/4755$' '^-rw-r--r-- .* links 3 .* \./links/third$' \
        '^crw-rw---- .* device 1ff:11170 .* \./special/far$' '^prw-r--r-- .* \./special/fifo$' \
        "'\./links/to-short' -> 'first'\$" "'\./links/to-4095' -> 'z{4095}'\$" '65534:100000 .* \./modes/owned$' \
        ' 1969-12-31 00:00:00.000000000 .* \./times/-86400$' '\.123456789 .* \./times/1700000000.123456789$' \
        ' \./names/n{255}$' '^security.capability=0x0100000200240000' '^system.posix_acl_access=0x02000000' \
        '^user.second=0x[0-9a-f]+$' "^$(python3 -c 'import hashlib; print(hashlib.sha256(bytes(1 << 20)).hexdigest())')  \./sizes/zeros\$"
}
upper_has_whiteouts() {
    says upper '^c.* device 0:0 .* \./stack/removed$' '^c.* device 0:0 .* \./stack/gone$' '^trusted.overlay.opaque=0x79$'
}
stack_is_merged() {
    says stack ' \./stack/kept$' '^-rwsr-xr-x .* size 13 .* \./stack/replaced$' ' \./stack/hidden/above$' ' \./stack/merged/above$' \
        ' \./stack/merged/below$' '^drwxr-x--- .* \./stack$'
    local name
    for name in removed gone hidden/below; do
        ! grep -qE " \./stack/$name\$" "$WORK/there.stack" || { echo "$name is still there"; return 1; }
    done
}
program_runs() {
    succeeded run
    equal "$(part_of run)" "from the layer"
}
kernel_has_no_complaint() {
    grep -q 'erofs: (device loop0): mounted' "$WORK/console"
    ! grep -iE 'bogus|corrupt|failed to (read|mount)|I/O error|BUG:|WARNING:|Oops|overlayfs:.*(fail|invalid|not)' "$WORK/console"
}

system_start
system_load
mkdir -p "$VM/images"
make_layers >"$WORK/log" 2>&1 || { cat "$WORK/log"; stop "the layers can be made and loaded"; }
machine_fetch_kernel >"$WORK/log" 2>&1 || { cat "$WORK/log"; stop "Debian's kernel can be downloaded"; }
make_root >"$WORK/log" 2>&1 || { cat "$WORK/log"; stop "the machine's root can be made"; }
check "the layers are mounted and listed under this kernel" list_here
machine_run "$VM_SECONDS" 768
check "a machine with Debian 12's kernel starts, loads the modules, and powers itself off" machine_ran
for layer in busybox base upper; do
    check "6.1 mounts the image of the layer \"$layer\" through a loop device" mounts "$layer"
done
check "busybox's layer reads the same: names, inodes, attributes, contents" lists_the_same busybox 200
check "the layer of all there is reads the same" lists_the_same base 6000
check "and has what was put into it" base_is_whole
check "the layer of whiteouts reads the same" lists_the_same upper 8
check "and its whiteouts are overlayfs's" upper_has_whiteouts
check "6.1 stacks the two" mounts stack
check "their stack reads the same" lists_the_same stack 6000
check "and whiteouts hide what they must, no more" stack_is_merged
check "a program of a layer runs under 6.1" program_runs
check "the kernel complains about nothing" kernel_has_no_complaint
