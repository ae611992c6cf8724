# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# What the scripts of this folder share; each sources it first. Needs root, Debian's apt and
# python3.
#
# Unpacks Debian's packages of DPDK into a temporary folder, then runs the script once more in name
# spaces of its own (network, mounts, processes), which end with it. ringtap has no part in it.

set -euo pipefail

dpdk=22.11.11-0+deb12u1
packages=(
	"dpdk-dev=$dpdk" ibverbs-providers=44.0-2 libbsd0=0.11.7-2 libfdt1=1.6.1-4+b1 libibverbs1=44.0-2
	libjansson4=2.14-2 libmd0=1.0.4-2 libnl-3-200=3.7.0-0.2+b1 libnl-route-3-200=3.7.0-0.2+b1
	libnuma1=2.0.16-1 libpcap0.8=1.10.3-1
)
for name in bitratestats23 bpf23 bus-{auxiliary,dpaa,pci,vdev}23 cmdline23 common-dpaax23 \
	common-iavf23 common-mlx5-23 crypto-scheduler23 cryptodev23 eal23 ethdev23 eventdev23 gro23 \
	gso23 hash23 ip-frag23 kvargs23 latencystats23 mbuf23 mempool-{dpaa,ring}23 mempool23 meter23 \
	metrics23 net-{af-packet,bnxt,bond,dpaa,i40e,ice,ixgbe,memif,tap}23 net-mlx5-23 net23 pcapng23 \
	pci23 pdump23 rcu23 reorder23 ring23 sched23 security23 telemetry23 timer23; do
	packages+=("librte-$name=$dpdk")
done

if [ -z "${FINDING_FOLDER:-}" ]; then
	FINDING_FOLDER=$(mktemp -d)
	trap 'rm -rf "$FINDING_FOLDER"' EXIT
	export FINDING_FOLDER
	(cd "$FINDING_FOLDER" && apt-get -qq -o APT::Sandbox::User=root download "${packages[@]}" \
		&& for package in *.deb; do dpkg -x "$package" root; done)
	unshare --net --mount --pid --fork --kill-child --mount-proc "$0"
	exit
fi

library=$FINDING_FOLDER/root/usr/lib/x86_64-linux-gnu
drivers=$library/dpdk/pmds-23.0
if [ -d "/usr/lib/x86_64-linux-gnu/dpdk/pmds-23.0" ]; then
	# EAL loads what is installed, too.
	mount --bind "$drivers" /usr/lib/x86_64-linux-gnu/dpdk/pmds-23.0
	plugins=()
else
	plugins=(-d "$drivers")
fi
ip link set lo up

fail() {
	echo "changed: $*"
	exit 1
}

# Starts testpmd under a name, with vdevs and the rest of its arguments; commands come from say().
testpmd() { # NAME EAL_ARGUMENT... -- ARGUMENT...
	local name=$1 eal=()
	shift
	while [ "$1" != -- ]; do
		eal+=("$1")
		shift
	done
	shift
	mkfifo "$FINDING_FOLDER/$name.in"
	LD_LIBRARY_PATH=$library stdbuf -oL "$FINDING_FOLDER/root/usr/bin/dpdk-testpmd" -l 0,1 \
		--no-huge -m 64 --no-pci --no-telemetry "--file-prefix=finding-$$-$name" "${plugins[@]}" \
		"${eal[@]}" -- -i --auto-start --disable-link-check --no-flush-rx --total-num-mbufs=4096 \
		"$@" <"$FINDING_FOLDER/$name.in" >"$FINDING_FOLDER/$name.out" 2>&1 &
	eval "${name}_pid=$!"
	disown # no word of the shell's when it is killed
	exec {input}>"$FINDING_FOLDER/$name.in"
	eval "${name}_input=$input"
	wait_for "$name" 'packet forwarding - ports='
	sleep 1 # the control channel of a memif
}

wait_for() { # NAME TEXT
	local tries=100
	until grep -q "$2" "$FINDING_FOLDER/$1.out"; do
		((tries--)) || {
			tail -n 20 "$FINDING_FOLDER/$1.out"
			fail "$1 does not say '$2'"
		}
		sleep 0.1
	done
}

# Prints what a command to a testpmd answers.
say() { # NAME COMMAND
	local input=$1_input before
	before=$(wc -l <"$FINDING_FOLDER/$1.out")
	echo "$2" >&"${!input}"
	sleep 0.5
	tail -n +"$((before + 1))" "$FINDING_FOLDER/$1.out"
}

# Prints the first number after a word of port statistics: RX-packets, RX-bytes, RX-errors.
port_counter() { # NAME PORT WORD
	say "$1" "show port stats $2" | grep -o "$3: *[0-9]*" | grep -o '[0-9]*$' | head -n 1
}

# Sends Ethernet frames that differ, slowly enough for any ring.
send() { # INTERFACE COUNT BYTES
	ip link set "$1" up
	python3 -c '
import socket, sys, time
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind((sys.argv[1], 0))
for number in range(int(sys.argv[2])):
    frame = bytes.fromhex("020000000001 020000000002 88b5") + number.to_bytes(4, "big")
    s.send(frame.ljust(int(sys.argv[3]), b"."))
    time.sleep(0.001)' "$@"
	sleep 0.5
}
