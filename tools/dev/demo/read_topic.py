# SPDX-License-Identifier: BSD-3-Clause
"""Read a topic from its beginning while it is written, with kafka-python, which shares no code
with librdkafka. After SIGTERM it reads up to the ends of that moment.

    read_topic.py BROKERS TOPIC FILE

FILE is as tools/kafka-topic writes it. A broker that has dropped records before they were read
makes it fail.
"""

import signal
import struct
import sys

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import OffsetOutOfRangeError

HEAD = struct.Struct(">IQQ")
LENGTH = struct.Struct(">i")


def field(data):
    return LENGTH.pack(-1) if data is None else LENGTH.pack(len(data)) + data


def write(out, records):
    for record in records:
        out.write(HEAD.pack(record.partition, record.offset, record.timestamp))
        out.write(field(record.key) + field(record.value))
    return len(records)


def read(brokers, topic, out):
    """Returns the number of records."""
    stop = []
    signal.signal(signal.SIGTERM, lambda *_: stop.append(True))
    consumer = KafkaConsumer(bootstrap_servers=brokers, api_version=(0, 11), group_id=None,
                             auto_offset_reset="none")
    partitions = [TopicPartition(topic, p) for p in consumer.partitions_for_topic(topic)]
    consumer.assign(partitions)
    for partition in partitions:
        consumer.seek(partition, 0)
    print(f"reading {len(partitions)} partitions", file=sys.stderr, flush=True)
    ends, count = None, 0
    while ends is None or any(consumer.position(p) < end for p, end in ends.items()):
        for records in consumer.poll(100, max_records=10_000).values():
            count += write(out, records)
        if stop and ends is None:
            ends = consumer.end_offsets(partitions)
    return count


def main():
    brokers, topic, path = sys.argv[1:]
    try:
        with open(path, "wb") as out:
            print(read(brokers.split(","), topic, out), "records")
    except OffsetOutOfRangeError as error:
        sys.exit(f"the broker dropped records before they were read: {error}")


if __name__ == "__main__":
    main()
