# SPDX-License-Identifier: Apache-2.0
#
# What tests in a virtual machine share: Debian 12's kernel (downloaded, 70 MB, not installed) in qemu, in software. A test file sources this
# after system.sh, fills $VM with the root that the machine starts from, /init among it, and calls machine_run. What /init prints on
# /dev/ttyS1 is in $WORK/answers, the kernel's console in $WORK/console.

VM=$WORK/vm
vm_pid=
vm_status=
at_end '[ -z "$vm_pid" ] || kill "$vm_pid"'

# stop WHAT : without it there is nothing to test
stop() {
    echo "not ok - $1"
    exit 1
}

# machine_fetch_kernel : into $WORK/kernel
machine_fetch_kernel() {
    local package
    package=$(apt-cache depends linux-image-amd64 | sed -n 's/.*Depends: \(linux-image-6\.1\.[^ ]*\)$/\1/p')
    [ -n "$package" ] || { echo "linux-image-amd64 is not 6.1 here"; return 1; }
    mkdir "$WORK/kernel"
    (
        cd "$WORK/kernel" && { apt-get -q -o APT::Sandbox::User=root download "$package" ||
            { apt-get -q update && apt-get -q -o APT::Sandbox::User=root download "$package"; }; } && dpkg-deb -x "$package"_*.deb .
    )
}

# machine_take_modules MODULE... : paths below the kernel's modules, without .ko; into $VM/modules
machine_take_modules() {
    local module
    for module in "$@"; do
        cp "$WORK"/kernel/lib/modules/6.1.*/"$module.ko" "$VM/modules/" || return 1
    done
}

# machine_pack : $VM as the machine's first root
machine_pack() { (cd "$VM" && find . | busybox cpio -o -H newc >"$WORK/initramfs") 2>/dev/null; }

# machine_run SECONDS MEGABYTES [QEMU'S FLAG...] : returns when it has powered itself off; sets vm_status
machine_run() {
    local seconds=$1 memory=$2
    shift 2
    timeout -k 5 "$seconds" qemu-system-x86_64 -accel tcg -cpu max -m "$memory" -nodefaults -no-user-config -display none -monitor none -no-reboot \
        -serial "file:$WORK/console" -serial "file:$WORK/answers" -kernel "$WORK"/kernel/boot/vmlinuz-6.1.* -initrd "$WORK/initramfs" \
        -append "console=ttyS0 panic=-1" "$@" </dev/null >"$WORK/qemu" 2>&1 7>&- &
    vm_pid=$!
    wait "$vm_pid"
    vm_status=$?
    vm_pid=
}
