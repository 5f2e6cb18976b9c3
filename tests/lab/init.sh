#!/bin/busybox sh
# Guest's first process: mounts the host's root over 9p read-only, then runs the script named on the kernel command
# line (lab.run=PATH) with the results share at /run/lab. Powers the guest off whatever happens.
b=/bin/busybox
$b mount -t proc proc /proc
for module in /mod/*.ko; do $b insmod "$module" || echo "lab: cannot load $module"; done
$b mount -t 9p -o ro,trans=virtio,version=9p2000.L,msize=524288,cache=loose host /root || echo "lab: no host root"
r=/root
$b mount -t proc proc $r/proc
$b mount -t sysfs sys $r/sys
$b mount -t devtmpfs dev $r/dev
$b mkdir -p $r/dev/shm $r/dev/pts
$b mount -t devpts devpts $r/dev/pts
# A checkout below one of the folders that are emptied next is brought back from under them.
$b mkdir -p /host
$b mount -o bind $r /host
for dir in /tmp /run /dev/shm; do $b mount -t tmpfs -o mode=1777 tmpfs $r$dir; done
checkout=$($b sed -n 's/.*lab\.checkout=\([^ ]*\).*/\1/p' /proc/cmdline)
[ -e "$r$checkout" ] || { $b mkdir -p "$r$checkout" && $b mount -o bind "/host$checkout" "$r$checkout"; }
$b mkdir -p $r/run/lab
$b mount -t 9p -o rw,trans=virtio,version=9p2000.L,msize=524288,cache=none results $r/run/lab || echo "lab: no results share"
script=$($b sed -n 's/.*lab\.run=\([^ ]*\).*/\1/p' /proc/cmdline)
echo "lab: running $script"
$b chroot $r /bin/sh "$script"
echo $? >$r/run/lab/exit
echo "lab: ended with $(cat $r/run/lab/exit)"
$b sync
echo o >/proc/sysrq-trigger
$b sleep 30
