#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Disk limits by project quotas, on ext4 and xfs, whatever the kernel that runs here can do: a virtual machine with Debian 12's kernel has this
# machine's root below a tmpfs, and an engine whose state lies on each of them in turn. What it does there: tests/vm/lib/quotas.sh.
source "$(dirname "$0")/../lib/system.sh"
source "$(dirname "$0")/lib/machine.sh"

VM_SECONDS=900
MODULES="kernel/drivers/virtio/virtio_ring kernel/drivers/virtio/virtio kernel/drivers/virtio/virtio_pci_modern_dev
    kernel/drivers/virtio/virtio_pci_legacy_dev kernel/drivers/virtio/virtio_pci kernel/drivers/block/virtio_blk kernel/fs/netfs/netfs
    kernel/fs/fscache/fscache kernel/net/9p/9pnet kernel/net/9p/9pnet_virtio kernel/fs/9p/9p kernel/fs/overlayfs/overlay
    kernel/crypto/crc32c_generic kernel/lib/libcrc32c kernel/fs/erofs/erofs kernel/drivers/block/loop kernel/lib/crc16 kernel/fs/mbcache
    kernel/fs/jbd2/jbd2 kernel/fs/ext4/ext4 kernel/fs/quota/quota_tree kernel/fs/quota/quota_v2 kernel/fs/xfs/xfs"

make_root() {
    local module
    mkdir -p "$VM"/{bin,dev,modules,host,over,root}
    cp /bin/busybox "$VM/bin/"
    machine_take_modules $MODULES || return 1
    cc -O1 -static -o "$WORK/project" "$TESTS/vm/lib/project.c" || return 1
    cat >"$VM/init" <<SCRIPT
#!/bin/busybox sh
export PATH=/bin
busybox mount -t devtmpfs dev /dev
busybox stty -F /dev/ttyS1 raw
exec >/dev/ttyS1 2>&1
for module in $(for module in $MODULES; do basename "$module"; done | xargs); do
    busybox insmod "/modules/\$module.ko" || echo "no module \$module"
done
busybox mount -t 9p -o ro,trans=virtio,version=9p2000.L,cache=loose,msize=262144 root /host
busybox mount -t tmpfs over /over
busybox mkdir /over/upper /over/work
busybox mount -t overlay -o lowerdir=/host,upperdir=/over/upper,workdir=/over/work root /root
busybox mount -t devtmpfs dev /root/dev
busybox mount -t proc proc /root/proc
busybox mount -t sysfs sys /root/sys
busybox mount -t cgroup2 cgroup /root/sys/fs/cgroup
busybox mkdir -p /root/dev/shm /root/dev/pts
busybox mount -t devpts devpts /root/dev/pts
busybox ln -s /proc/self/fd /root/dev/fd
exec busybox switch_root /root /bin/bash $WORK/inside
SCRIPT
    # /tmp is a file system of the test's own there, hence what is needed of this one is taken first
    cat >"$WORK/inside" <<SCRIPT
export HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin BULKHEAD_BIN=$BIN TESTS=$TESTS CHECK_SECONDS=240
busybox ip link set lo up
mkdir /run/test && cp $WORK/project /run/test/
export PROJECT=/run/test/project
uname -r
on() { # TYPE DEVICE REFUSAL
    mount -t "\$1" -o prjquota "/dev/\$2" /tmp && chmod 1777 /tmp && REFUSAL=\$3 bash $TESTS/vm/lib/quotas.sh | sed "s/^\(not ok\|ok\) - /&\$1: /"
    umount /tmp
}
on ext4 vda 'Disk quota exceeded'
on xfs vdb 'No space left on device'
echo the end
sync
echo o >/proc/sysrq-trigger
sleep 60
SCRIPT
    chmod 0755 "$VM/init"
    machine_pack
}
make_disks() {
    truncate -s 512M "$WORK/ext4" "$WORK/xfs"
    mkfs.ext4 -q -O quota,project "$WORK/ext4" && mkfs.xfs -q "$WORK/xfs"
}

machine_ran() {
    equal "$vm_status" 0 "qemu" || { cat "$WORK/qemu"; tail -20 "$WORK/console" "$WORK/answers"; return 1; }
    grep -q '^the end' "$WORK/answers"
    grep -q '^6\.1\.' "$WORK/answers"
}
# The checks made inside count like ours.
count_answers() {
    grep -E '^(not )?ok - |^    \|' "$WORK/answers"
    passed=$((passed + $(grep -c '^ok - ' "$WORK/answers")))
    failed=$((failed + $(grep -c '^not ok - ' "$WORK/answers")))
}
kernel_has_no_complaint() {
    ! grep -iE 'EXT4-fs error|XFS.*(corrupt|error)|BUG:|WARNING:|Oops' "$WORK/console"
}

make_disks >"$WORK/log" 2>&1 || { cat "$WORK/log"; stop "the file systems can be made"; }
mkdir -p "$VM"
machine_fetch_kernel >"$WORK/log" 2>&1 || { cat "$WORK/log"; stop "Debian's kernel can be downloaded"; }
make_root >"$WORK/log" 2>&1 || { cat "$WORK/log"; stop "the machine's root can be made"; }
machine_run "$VM_SECONDS" 2048 -virtfs local,path=/,mount_tag=root,security_model=none,readonly=on,multidevs=remap \
    -drive "file=$WORK/ext4,if=virtio,format=raw" -drive "file=$WORK/xfs,if=virtio,format=raw"
count_answers
check "a machine with Debian 12's kernel runs the engine on both file systems, and powers itself off" machine_ran
check "the kernel complains about nothing" kernel_has_no_complaint
