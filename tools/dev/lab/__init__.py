# SPDX-License-Identifier: BSD-3-Clause
"""A laboratory on one machine: a network namespace, Kafka, a primary, secondaries and traffic.

    with Lab("rtdemo") as lab:
        lab.start_broker()
        lab.create_topic(partitions=16)
        lab.write_config({"receive-queues": 2})
        lab.start_primary()
        lab.start_secondary(workers=2)
        sent = lab.traffic(count=10_000, rate=5_000)
        lab.wait_delivered(sent.count)
        lab.stop()
        difference = compare(sent.frames(), (r.value for r in lab.read_topic()))

What a laboratory starts it ends, and it removes what it made, whatever happens in between. Only a
SIGKILL prevents that: then the next laboratory of the same name does it first. The name is that of
the instance and of the namespace, so it is used by one laboratory at a time. Needs root.
"""

from .arguments import Arguments, number, positive
from .frames import Difference, Record, Trailer, compare, read_pcap, read_records, trailer
from .kafka import SECRETS
from .lab import INTERFACE, JUMBO_MTU, Lab
from .places import KAFKA_BROKER, KAFKA_TOPIC, SOURCE, STATE, TOOLS, build_directory
from .prepare import need_root, prepare
from .process import (
    LabBusy,
    LabError,
    Program,
    call,
    end_processes,
    kill_process,
    start_time,
    users_of,
    wait_for,
)
from .sender import Sender
