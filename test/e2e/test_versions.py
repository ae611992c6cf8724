#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Older versions of Kafka than the tools' own: packets there and back. Real programs; prints TAP.

The programs are those of the build directory $RINGTAP_BUILD (default: build/). Needs root.
"""

import sys

from tap import Tap, ends_in_good_order, same_frames

from lab import Lab, call, compare, read_pcap

VERSIONS = ("3.9.1", "4.1.1")
PACKETS, RATE = 4_000, 2_000


def there_and_back(tap, lab, version):
    lab.start_broker(kafka=version)
    lab.create_topic(4)
    lab.write_config({"kafka": {"topic": {"compression.codec": "lz4"}}})
    primary = lab.start_primary()
    secondary = lab.start_secondary(workers=2)
    sent = lab.traffic(PACKETS, RATE)
    lab.wait_delivered(sent.count)
    exits = {"kafka-secondary": lab.stop_secondary(secondary), "primary": lab.stop_primary()}
    ends_in_good_order(tap, primary, exits, f", Kafka {version}")
    path = lab.directory / f"{version}.pcap"
    call(lab.program("tools", "kafka-to-pcap", "kafka-to-pcap"), "-c", lab.config_path, "-w", path)
    same_frames(tap, compare(sent.frames(), (frame for _, frame in read_pcap(path))),
                f", Kafka {version}")
    lab.stop_broker()


def main():
    tap = Tap()
    with Lab("rtversions") as lab:
        for version in VERSIONS:
            tap.run(there_and_back, lab, version)
            lab.end_programs()
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())
