# SPDX-License-Identifier: BSD-3-Clause
"""Compare what a topic holds with what was sent.

The trailer of every frame names its flow and its place in it, whatever ring and partition it went
through. What was sent is known by a checksum of each frame, generated again with the same seed;
what arrived is read by Kafka's own Java client.
"""

import array
import collections
import contextlib
import itertools
import os
import struct
import subprocess
import zlib

from lab import KAFKA_TOPIC, LabError, read_records

TRAILER = struct.Struct(">4sIQ")  # magic, flow with the direction in its top bit, sequence
FLOW = 0x7FFFFFFF
KEY_BYTES = 8


class Sent:
    """The frames that one primary was given, and whether each was read back."""

    def __init__(self, senders):
        self.checksums = {}  # by flow: of each frame, in order
        for frame in itertools.chain.from_iterable(sender.frames() for sender in senders):
            _, word, _ = TRAILER.unpack_from(frame, len(frame) - TRAILER.size)
            self.checksums.setdefault(word & FLOW, array.array("I")).append(zlib.crc32(frame))
        self.seen = {flow: bytearray(len(sums)) for flow, sums in self.checksums.items()}
        self.unique = 0

    def has(self, flow, sequence, checksum):
        sums = self.checksums.get(flow, ())
        return sequence < len(sums) and sums[sequence] == checksum

    def is_first(self, flow, sequence):
        """Notes that a frame was read; returns whether it is the first time."""
        if self.seen[flow][sequence]:
            return False
        self.seen[flow][sequence] = 1
        self.unique += 1
        return True


class Evidence:
    """Compares records with what was sent: `lives` has a list of senders for each primary."""

    def __init__(self, lives):
        self.sent = [Sent(senders) for senders in lives]
        self.duplicates = 0
        self.wrong = 0
        self.disorder = 0  # first occurrences after a later one of their flow and direction
        self._newest = {}

    def read(self, records):
        """Takes in Records; those of a partition come in the order of their offsets, from 0 on."""
        expected = collections.Counter()
        for record in records:
            if record.offset != expected[record.partition]:
                raise LabError(f"partition {record.partition}: offset {record.offset} was read "
                               f"after {expected[record.partition] - 1}")
            expected[record.partition] += 1
            self._take(record.key, record.value)

    def missing(self):
        """(number of the primary, flow, sequence, frames of the flow) of each frame not read."""
        return [(number, flow, sequence, len(seen)) for number, sent in enumerate(self.sent)
                for flow, seen in sent.seen.items()
                for sequence, count in enumerate(seen) if not count]

    def _take(self, key, value):
        if len(value) < TRAILER.size or key is None or len(key) != KEY_BYTES:
            self.wrong += 1
            return
        _, word, sequence = TRAILER.unpack_from(value, len(value) - TRAILER.size)
        checksum = zlib.crc32(value)
        for sent in self.sent:
            if sent.has(word & FLOW, sequence, checksum):
                if sent.is_first(word & FLOW, sequence):
                    self._note_order(word, sequence)
                else:
                    self.duplicates += 1
                return
        self.wrong += 1

    def _note_order(self, way, sequence):
        if sequence < self._newest.get(way, -1):
            self.disorder += 1
        else:
            self._newest[way] = sequence


def read_topic(lab, topic, timeout_s=600):
    """Yields the Records of a topic up to its present end while Kafka's own client reads it."""
    read_end, write_end = os.pipe()
    command = [KAFKA_TOPIC, "--bootstrap", lab.bootstrap, "read", topic, "--output",
               f"/dev/fd/{write_end}", "--timeout-s", str(timeout_s)]
    with subprocess.Popen(command, pass_fds=(write_end,), stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as client:
        os.close(write_end)
        with contextlib.suppress(struct.error):  # cut off: the client says why
            yield from read_records(f"/dev/fd/{read_end}")
        os.close(read_end)
        said = client.stderr.read().decode(errors="replace").strip()
    if client.returncode != 0:
        raise LabError(f"reading {topic}: {said}")
