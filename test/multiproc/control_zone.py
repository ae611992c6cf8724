# SPDX-License-Identifier: BSD-3-Clause
"""The shared block and the rings of a primary, seen and changed through /proc/PID/mem."""

import re
import struct

MAGIC = b"RTAPSHM1"  # common/shm_layout.h
VERSION_OFFSET, BYTES_OFFSET, DPDK_OFFSET, NB_RINGS_OFFSET, TIME_OFFSET = 8, 12, 16, 72, 76
RING_NAME_BYTES, RING_SIZE, RING_MASK, CONS_TAIL = 29, 48, 52, 260  # struct rte_ring of DPDK 22.11


def mappings(pid, name, permissions):
    """(start, end) of the hugepage mappings of an instance in a process."""
    with open(f"/proc/{pid}/maps", encoding="ascii") as maps:
        for line in maps:
            match = re.match(rf"(\w+)-(\w+) {permissions} .*/{re.escape(name)}map_\d+", line)
            if match:
                yield int(match[1], 16), int(match[2], 16)


def read(pid, address, size):
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        memory.seek(address)
        return memory.read(size)


def write(pid, address, data):
    with open(f"/proc/{pid}/mem", "r+b", buffering=0) as memory:
        memory.seek(address)
        memory.write(data)


FIRST_RING = b"rtap_p0_q0_r0\0"
SHARED_RING_BYTES, ASSIGNED, QUARANTINED, OWNER = 128, 40, 48, 64  # struct rtap_shm_ring
STATE, STOPPED = 128, 3  # of the instance
SLOTS, SLOT_BYTES, PID = 64, 64, 28  # struct rtap_shm_slot, in front of the rings


class ControlZone:
    """Of the primary `pid`, which is ready."""

    def __init__(self, pid, name):
        self.pid = pid
        self.base, self.end = next((address, end) for start, end in mappings(pid, name, "rw-s")
                                   for address in range(start, end, 2 << 20)
                                   if read(pid, address, len(MAGIC)) == MAGIC)
        (self.block_bytes,) = struct.unpack("<I", read(pid, self.base + BYTES_OFFSET, 4))

    def shared_rings(self):
        """Address of what the block says of the rings."""
        return self.base + read(self.pid, self.base, self.block_bytes).index(FIRST_RING)

    def slot(self, pid):
        """Address of the slot of a living worker: its last incarnation comes first."""
        first = self.shared_rings() - SLOTS * SLOT_BYTES
        slots = [first + i * SLOT_BYTES for i in range(SLOTS)]
        return max((s for s in slots if read(self.pid, s + PID, 4) == struct.pack("<i", pid)),
                   key=lambda s: struct.unpack("<Q", read(self.pid, s, 8)))

    def ring(self, name):
        """Address of a transmit ring."""
        begin = name.encode().ljust(RING_NAME_BYTES, b"\0")
        begin_of_rings = self.base + self.block_bytes
        rings = read(self.pid, begin_of_rings, self.end - begin_of_rings)
        return begin_of_rings + rings.index(begin)
