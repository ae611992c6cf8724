#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# libpcap compiles "geneve or icmp" to a program that reads memory which it never wrote.
#
# libpcap 1.10.3, tcpdump 4.99.3 (Debian 12), Linux 6. What stands after `geneve` looks for its
# headers at places that the part for geneve stored in scratch memory (M[]). With `or`, packets that
# are not geneve reach it on a way on which nothing was stored. Linux refuses the program for its
# sockets; then, and for files, libpcap runs it itself, and bpf_filter() finds in M[] what lies on
# its stack: which packets match is chance. One would have sworn that an expression either means
# something or is refused. Remedy: `geneve and ...`, or udp port 6081.
#
# Seen: "geneve or icmp": Warning: Kernel filter failed: Invalid argument. "geneve and icmp",
# "icmp": no warning

set -euo pipefail

if [ -z "${FINDING_FOLDER:-}" ]; then
	FINDING_FOLDER=$(mktemp -d)
	trap 'rm -rf "$FINDING_FOLDER"' EXIT
	export FINDING_FOLDER
	(cd "$FINDING_FOLDER" && apt-get -qq -o APT::Sandbox::User=root download \
		tcpdump=4.99.3-1 libpcap0.8=1.10.3-1 \
		&& for package in *.deb; do dpkg -x "$package" root; done)
	unshare --net --pid --fork --kill-child "$0"
	exit
fi

ip link set lo up

# Whether the kernel takes the filter; it captures nothing.
kernel() { # EXPRESSION
	local said
	said=$(LD_LIBRARY_PATH=$FINDING_FOLDER/root/usr/lib/x86_64-linux-gnu timeout 2 \
		"$FINDING_FOLDER/root/usr/bin/tcpdump" -i lo -c 1 "$1" 2>&1) || true
	grep -o 'Kernel filter failed: .*' <<<"$said" || echo taken
}

got="$(kernel 'geneve or icmp'); $(kernel 'geneve and icmp'); $(kernel icmp)"
echo "$got"
[ "$got" = "Kernel filter failed: Invalid argument; taken; taken" ] || {
	echo "changed: $got"
	exit 1
}
