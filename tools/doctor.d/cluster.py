# SPDX-License-Identifier: BSD-3-Clause
"""Ask a Kafka cluster what the checks need to know; write nothing to it."""

import collections
import time

from wire import (DESCRIBE_CLIENT_QUOTAS, DESCRIBE_CONFIGS, DESCRIBE_QUORUM, FETCH, METADATA,
                  Answer, array, number, text)

TOPIC = 2  # a kind of resource
# Kafka's error codes.
UNKNOWN_TOPIC, TOPIC_UNAUTHORIZED, CLUSTER_UNAUTHORIZED, UNSUPPORTED = 3, 29, 31, 35

# address: (host, port), as the cluster advertises it.
Broker = collections.namedtuple("Broker", "number address")
# leader: -1 for none. replicas, in_sync, offline: numbers of brokers; offline ones are down.
Partition = collections.namedtuple("Partition", "number leader replicas in_sync offline")
# error: Kafka's code. operations: a bit for each that the principal may do, negative when the
# cluster does not say.
Topic = collections.namedtuple("Topic", "error partitions operations")


class Refused(Exception):
    """The cluster does not answer a question. error: Kafka's code."""

    def __init__(self, error):
        super().__init__(f"Kafka's error {error}")
        self.error = error


class Cluster:
    """Questions to a cluster, through a Connection to one of its brokers.

    Each raises Unreachable when the connection fails and Refused when the cluster does not answer.
    """

    def __init__(self, connection):
        self.connection = connection

    def _ask(self, api, version, body, flexible=False):
        if not self.connection.takes(api, version):
            raise Refused(UNSUPPORTED)
        return self.connection.ask(api, version, body, flexible)

    def is_kafka_4(self):
        """It took the old requests away."""
        return self.connection.versions[FETCH][0] >= 4

    def look_at(self, topic):
        """([Broker], Topic)."""
        # No topic is made; the answer says what the principal may do with it.
        answer = self._ask(METADATA, 8, array([text(topic)]) + b"\0\0\1")
        answer.number("i")  # throttle time, as in all answers below

        def broker():
            found = Broker(answer.number("i"), (answer.text(), answer.number("i")))
            answer.text()
            return found
        brokers = answer.each(broker)
        answer.text()
        answer.number("i")
        return brokers, answer.each(lambda: _topic(answer))[0]

    def settings(self, topic):
        """The topic's configuration, the cluster's defaults in it."""
        resource = number("b", TOPIC) + text(topic) + number("i", -1)  # of all names
        answer = self._ask(DESCRIBE_CONFIGS, 1, array([resource]) + b"\0")
        answer.numbers("ii")  # with the number of resources
        error = answer.number("h")
        if error:
            raise Refused(error)
        answer.text()
        answer.number("b")
        answer.text()

        def setting():
            name, value = answer.text(), answer.text()
            answer.numbers("?b?")
            answer.each(lambda: (answer.text(), answer.text(), answer.number("b")))
            return name, value
        return dict(answer.each(setting))

    def quotas(self):
        """[({kind of entity: its name, None for the default}, {name of a quota: number})]."""
        answer = self._ask(DESCRIBE_CLIENT_QUOTAS, 0, array([]) + b"\0")
        answer.number("i")
        error = answer.number("h")
        if error:
            raise Refused(error)
        answer.text()
        return answer.each(lambda: (
            dict(answer.each(lambda: (answer.text(), answer.text()))),
            dict(answer.each(lambda: (answer.text(), answer.number("d"))))))

    def clock_ahead_s(self, now=time.time):
        """How far the clock of the controller is ahead of `now`: the only one that Kafka tells."""
        body = b"\2\x13__cluster_metadata\2" + number("i", 0) + b"\0\0\0"
        before = now()
        answer = self._ask(DESCRIBE_QUORUM, 1, body, flexible=True)
        here = (before + now()) / 2
        return _controllers_clock(answer) - here


def _topic(answer: Answer):
    def partition():
        _, which, leader, _ = answer.numbers("hiii")
        return Partition(which, leader, *(answer.each(lambda: answer.number("i"))
                                          for _ in range(3)))
    error = answer.number("h")
    answer.text()
    answer.number("?")
    return Topic(error, answer.each(partition), answer.number("i"))


def _controllers_clock(answer):
    """Its time in seconds, from the answer to DESCRIBE_QUORUM."""
    def replica():
        which, _, _, caught_up_ms = answer.numbers("iqqq")
        return which, caught_up_ms

    def partition():
        _, error, leader, _, _ = answer.numbers("ihiiq")
        if error:
            raise Refused(error)
        voters = dict(answer.each_compact(replica))
        answer.each_compact(replica)
        return voters[leader]  # of itself it says the time that it is now

    def topic():
        answer.raw(answer.length() - 1)
        return answer.each_compact(partition)[0]
    error = answer.number("h")
    if error:
        raise Refused(error)
    return answer.each_compact(topic)[0] / 1000
