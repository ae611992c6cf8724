# SPDX-License-Identifier: BSD-3-Clause
"""EAL's locks and heaps, which the processes of an instance share, seen from outside.

Both are in its shared configuration, a file, with the layout of DPDK 22.11.
"""

import re
import struct

import control_zone

FIRST_LOCK = 16  # of struct rte_mem_config
LOCKS = ("mlock", "qlock", "mplock", "tlock", "memory_hotplug_lock")
HEAP_FIRST, HEAP_TOTAL, HEAP_NAME = 112, 136, 144  # of struct malloc_heap, whose lock is at 0
ELEMENT = struct.Struct("<16xQ24xi4xQ")  # struct malloc_elem: next, state, size
STATE_BITS, FREE = 7, 0


class EalMemory:
    """That of the primary of a laboratory, which is ready."""

    def __init__(self, lab):
        self.path = lab.instance_directory / "dpdk" / lab.name / "config"
        self.pid = lab.primary.pid
        self.heaps = [match.start() - HEAP_NAME
                      for match in re.finditer(rb"socket_\d+\0", self.path.read_bytes())]

    def taken(self):
        """The locks that are taken, with their words."""
        config = self.path.read_bytes()
        values = struct.unpack_from(f"<{len(LOCKS)}I", config, FIRST_LOCK)
        words = dict(zip(LOCKS, values, strict=True))
        words["heap"] = sum(struct.unpack_from("<I", config, heap)[0] for heap in self.heaps)
        return {name: word for name, word in words.items() if word}

    def take(self, lock):
        """Leaves a lock taken by a writer, as one does who is killed while it has it."""
        offset, word = ((self.heaps[0], 1) if lock == "heap"
                        else (FIRST_LOCK + 4 * LOCKS.index(lock), 2))
        with open(self.path, "r+b") as config:
            config.seek(offset)
            config.write(struct.pack("<I", word))

    def allocated(self):
        """Bytes of the heaps that are not free. No process may be attaching."""
        config = self.path.read_bytes()
        return sum(self._allocated(config, heap) for heap in self.heaps)

    def _allocated(self, config, heap):
        (total,) = struct.unpack_from("<Q", config, heap + HEAP_TOTAL)
        (element,) = struct.unpack_from("<Q", config, heap + HEAP_FIRST)
        while element:
            following, state, size = ELEMENT.unpack(
                control_zone.read(self.pid, element, ELEMENT.size))
            if state & STATE_BITS == FREE:
                total -= size
            element = following
        return total
