// SPDX-License-Identifier: BSD-3-Clause
// Print what --help says.

#include "help.h"

#include "exit_code.h"
#include "extcap.h"

#include <stdio.h>

void help_print(void) {
	printf("usage: kafka-to-pcap {-c FILE | -b BROKERS -t TOPIC} {-w FILE | --check} [OPTION]...\n"
	       "Read the packets of a Kafka topic into a pcap file, in time order.\n\n"
	       "source\n"
	       "  -c, --config FILE      configuration of an instance: brokers, topic, TLS, SASL, unit of\n"
	       "                         the keys; properties of producers only are ignored\n"
	       "  -b, --brokers LIST     HOST:PORT, comma-separated\n"
	       "  -t, --topic TOPIC      all its partitions are read, in no consumer group\n"
	       "  -X, --property N=V     any librdkafka property, of TLS for example; ps shows it to every\n"
	       "                         user, so keep secrets in the file. isolation.level is\n"
	       "                         read_uncommitted unless set: no open transaction hides packets\n"
	       "      --key-unit us|ns   of the keys (default us)\n\n"
	       "which packets\n"
	       "      --from TIME        captured at TIME or later\n"
	       "      --to TIME          captured before TIME. TIME is 2026-11-25T03:00:00Z (UTC),\n"
	       "                         seconds since 1970, or -15m before now (s, m, h, d)\n"
	       "      --margin-s S       how far Kafka's clock may lag, and how long a packet may\n"
	       "                         have waited for Kafka: read so much around the range (default "
	       "%u)\n"
	       "      --filter EXPR      libpcap's syntax; `host A and host B and port P` is one flow;\n"
	       "                         frames with a VLAN tag: `vlan and ...`\n"
	       "      --unique           write packets of the same time and bytes once, within\n"
	       "                         the last million packets read\n"
	       "      --count N          end after N packets, at least 1 (-c N, too, when N is a number)\n"
	       "  -f, --follow           wait for new packets; without it, end at the last one\n"
	       "      --from-beginning   start with the oldest packet (the default)\n"
	       "      --from-end         with --follow: start with the next new packet\n"
	       "      --timeout-s S      fail when nothing arrives for this long, 0 = never\n"
	       "                         (default %u; with --follow 0)\n\n"
	       "destination\n"
	       "  -w, --write FILE       - is stdout, for `| tshark -r -` or `-i -`\n"
	       "      --format F         pcap, or pcapng: with interface names and drops where packets\n"
	       "                         have record headers (default pcap). editcap, mergecap and\n"
	       "                         `tshark -w` of Wireshark 4.0 leave the drops out of their copy\n"
	       "      --window MS        packets of a partition that are out of time order by at\n"
	       "                         most this much are sorted, later ones are written late (default %u)\n"
	       "      --check            write nothing: report what is missing\n"
	       "      --require-complete exit %d unless it is proved that nothing is missing\n"
	       "  -h, --help\n"
	       "  -V, --version          versions, librdkafka's with its features included\n\n"
	       "Wireshark calls it with --extcap-...; link it into the folder of extcap programs that\n"
	       "Help > About Wireshark > Folders names. Its interfaces are the files in $%s\n"
	       "(colons between), else ~/.config/ringtap/*.yaml and /etc/ringtap/*.yaml.\n\n"
	       "A message is a packet when its key has 8 bytes: microseconds since 1970, UTC,\n"
	       "big-endian. Its value is the Ethernet frame. Packets with sequence numbers\n"
	       "(`headers: basic`) are checked, and stderr tells what is missing. The last line there is\n"
	       "`N packets written, N duplicates removed, N late, N skipped`, `at most` before it\n"
	       "when writing failed or the reader ended early. A line `topic: ...` before it counts what\n"
	       "was in the topic and was not read.\n\n"
	       "The first SIGINT or SIGTERM ends it with what has been read, a second one at once.\n\n"
	       "Exit codes: %d ok, %d usage (-X and --filter included), %d configuration file or a property in\n"
	       "it that librdkafka refuses, %d packets are missing or completeness is not proved\n"
	       "(--require-complete), %d anything else.\n",
	       HELP_DEFAULT_MARGIN_S, HELP_DEFAULT_TIMEOUT_S, HELP_DEFAULT_WINDOW_MS, RTAP_EXIT_LAW,
	       EXTCAP_FILES_VARIABLE, RTAP_EXIT_OK, RTAP_EXIT_USAGE, RTAP_EXIT_CONFIG,
	       RTAP_EXIT_LAW, RTAP_EXIT_FAILURE);
}
