#!/busybox sh
# SPDX-License-Identifier: BSD-3-Clause
# /init of the guest's initrd: the root of the host, read-only, below a layer of memory.
# shellcheck shell=dash disable=SC2154
# Environment, from the kernel's command line: share, the folder that the guest writes to; next,
# what goes on in the new root.

/busybox mkdir /lower /layer /new
for module in /modules/*; do
	/busybox insmod "$module"
done
/busybox mount -t 9p -o trans=virtio,version=9p2000.L,msize=512000,cache=loose,ro root /lower
/busybox mount -t tmpfs layer /layer
/busybox mkdir /layer/upper /layer/work
/busybox mount -t overlay -o lowerdir=/lower,upperdir=/layer/upper,workdir=/layer/work root /new
/busybox mount -t 9p -o trans=virtio,version=9p2000.L,msize=512000,cache=none share "/new$share"
exec /busybox switch_root /new /bin/sh "$next"
