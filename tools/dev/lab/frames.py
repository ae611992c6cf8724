# SPDX-License-Identifier: BSD-3-Clause
"""Read frames and records from files, and compare what was sent with what arrived."""

import collections
import struct

Trailer = collections.namedtuple("Trailer", "flow reverse sequence")
Record = collections.namedtuple("Record", "partition offset timestamp_ms key value")
Difference = collections.namedtuple("Difference", "missing extra duplicates")


def trailer(frame):
    """The trailer that traffic-gen appended to a frame; None if the frame has none."""
    if len(frame) < 16:
        return None
    magic, flow, sequence = struct.unpack(">4sIQ", frame[-16:])
    return Trailer(flow & 0x7FFFFFFF, bool(flow >> 31), sequence) if magic == b"rtap" else None


def read_pcap(path):
    """Yields (time in us, frame) for every frame of a pcap file."""
    with open(path, "rb") as f:
        magic = f.read(4)
        order = "<" if magic in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
        unit = {0xA1B2C3D4: 1, 0xA1B23C4D: 1000}[struct.unpack(order + "I", magic)[0]]
        head = struct.Struct(order + "4I")
        f.read(20)
        while len(raw := f.read(head.size)) == head.size:
            seconds, fraction, captured, _ = head.unpack(raw)
            yield seconds * 1_000_000 + fraction // unit, f.read(captured)


def read_records(path):
    """Yields every Record of a file that `tools/kafka-topic read` wrote."""
    head, length = struct.Struct(">IQQ"), struct.Struct(">i")
    with open(path, "rb", buffering=1 << 20) as f:
        def field():
            (size,) = length.unpack(f.read(length.size))
            return None if size < 0 else f.read(size)
        while raw := f.read(head.size):
            yield Record(*head.unpack(raw), field(), field())


def compare(sent, received):
    """Compares two iterables of byte strings as multisets.

    missing: frames sent and never received. extra: received and never sent (or altered).
    duplicates: received more often than sent. Each a list of frames, as many as there are.
    """
    left = collections.Counter(sent)
    known = frozenset(left)
    extra, duplicates = [], []
    for frame in received:
        if frame not in known:
            extra.append(frame)
        elif left[frame] == 0:
            duplicates.append(frame)
        else:
            left[frame] -= 1
    return Difference(list(left.elements()), extra, duplicates)
