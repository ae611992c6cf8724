// SPDX-License-Identifier: BSD-3-Clause
// Exit codes of the programs: one for each error that a script may want to tell apart.

#pragma once

enum rtap_exit_code {
	RTAP_EXIT_OK = 0,
	RTAP_EXIT_FAILURE = 1, // anything that has no code of its own
	RTAP_EXIT_USAGE = 2, // command line
	RTAP_EXIT_CONFIG = 3, // configuration file, librdkafka properties included
	RTAP_EXIT_NOT_ROOT = 4,
	RTAP_EXIT_HUGEPAGES = 5, // none, or too few
	RTAP_EXIT_NO_PORTS = 6, // no usable DPDK port
	// The instance has a primary, or transmit workers of an earlier one, or its name is in use
	// as file-prefix.
	RTAP_EXIT_ALREADY_RUNNING = 7,
	RTAP_EXIT_NO_PRIMARY = 8, // the instance has no running primary
	RTAP_EXIT_MISMATCH = 9, // layout or DPDK version differs between primary and secondary
	RTAP_EXIT_ATTACH = 10, // EAL does not attach, or not in time
	RTAP_EXIT_PORT = 11, // a port refused its configuration
	// stats-tool --check: a law does not hold; kafka-to-pcap --require-complete: packets are
	// missing, or it is not proved that none is.
	RTAP_EXIT_LAW = 12,
	RTAP_EXIT_LEFT_BEHIND = 13, // stopped, but packets were left undelivered
	RTAP_EXIT_DEVICE = 14, // a device was replaced under the primary: start it again
};
