# SPDX-License-Identifier: BSD-3-Clause
# What a command does first that is to work on a fresh machine. Sourced by bash, never run.
# The caller sets tools= to the folder of the tools.

# need_root NAME
need_root() {
	((EUID == 0)) && return
	echo "$1: must be root; try: sudo tools/$1" >&2
	exit 1
}

# prepare NAME: sets the machine up and builds into $RINGTAP_BUILD (default: build/). Says what it
# does on standard error.
prepare() {
	local build log
	need_root "$1"
	"$tools/setup" >&2
	build=$(realpath -m "${RINGTAP_BUILD:-$tools/../build}")
	if [[ ! -e $build/build.ninja ]]; then
		echo "$1: building into $build" >&2
		log=$(meson setup "$build" "$tools/.." 2>&1) || {
			echo "$log" >&2
			exit 1
		}
	fi
	ninja -C "$build" --quiet | { grep -v '^ninja: no work to do' || true; } >&2
}
