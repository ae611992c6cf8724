# SPDX-License-Identifier: BSD-3-Clause
"""EAL's locks and heaps, which the processes of an instance share, seen from outside.

Both are in its shared configuration, a file; common/eal_layout.h says how it begins.
"""

import contextlib
import re
import struct

import control_zone

VERSION, FIRST_LOCK = 4, 16  # of struct rte_mem_config
V23_11 = 23 << 24 | 11 << 16
HEAP_FIRST, HEAP_TOTAL, HEAP_NAME = 112, 136, 144  # of struct malloc_heap, whose lock is at 0
ELEMENT = struct.Struct("<16xQ24xi4xQ")  # struct malloc_elem: next, state, size
STATE_BITS, FREE = 7, 0


class EalMemory:
    """That of the primary of a laboratory, which is ready."""

    def __init__(self, lab):
        self.path = lab.instance_directory / "dpdk" / lab.name / "config"
        self.pid = lab.primary.pid
        config = self.path.read_bytes()
        self.heaps = [match.start() - HEAP_NAME
                      for match in re.finditer(rb"socket_\d+\0", config)]
        (version,) = struct.unpack_from("<I", config, VERSION)
        self.locks = ("mlock", "qlock", "mplock", "tlock",
                      *(["ethdev_lock"] if version >= V23_11 else []), "memory_hotplug_lock")

    def taken(self):
        """The locks that are taken, with their words."""
        config = self.path.read_bytes()
        values = struct.unpack_from(f"<{len(self.locks)}I", config, FIRST_LOCK)
        words = dict(zip(self.locks, values, strict=True))
        words["heap"] = sum(struct.unpack_from("<I", config, heap)[0] for heap in self.heaps)
        return {name: word for name, word in words.items() if word}

    def take(self, lock):
        """Leaves a lock taken by a writer, as one does who is killed while it has it."""
        offset, word = ((self.heaps[0], 1) if lock == "heap"
                        else (FIRST_LOCK + 4 * self.locks.index(lock), 2))
        self._write(offset, word)

    @contextlib.contextmanager
    def of_another_version(self):
        """For the time of the block it says that another version of EAL wrote it."""
        (version,) = struct.unpack_from("<I", self.path.read_bytes(), VERSION)
        self._write(VERSION, version + (1 << 24))
        try:
            yield
        finally:
            self._write(VERSION, version)

    def _write(self, offset, word):
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
