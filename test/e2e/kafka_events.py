# SPDX-License-Identifier: BSD-3-Clause
"""Make happen to a topic what readers do not expect: records removed, an open transaction, a leader
that cannot be reached."""

import contextlib
import ctypes
import selectors
import socket
import struct
import threading

PRODUCER = 0  # rd_kafka_type_t
COPY = 2  # RD_KAFKA_MSG_F_COPY
DELETE_RECORDS = 4  # RD_KAFKA_ADMIN_OP_DELETERECORDS
TIMEOUT_MS = 20_000


class Client:
    """A producer of librdkafka; kafka-python neither deletes records nor writes transactions."""

    def __init__(self, bootstrap, **properties):
        self.lib = ctypes.CDLL("librdkafka.so.1")
        for name in ("conf_new", "new", "topic_new", "queue_new", "AdminOptions_new",
                     "DeleteRecords_new", "topic_partition_list_new", "queue_poll",
                     "topic_partition_list_add", "init_transactions", "begin_transaction",
                     "abort_transaction"):
            self._function(name).restype = ctypes.c_void_p
        conf, why = self._function("conf_new")(), ctypes.create_string_buffer(512)
        for name, value in {"bootstrap.servers": bootstrap, **properties}.items():
            if self._function("conf_set")(ctypes.c_void_p(conf), name.replace("_", ".").encode(),
                                          value.encode(), why, len(why)) != 0:
                raise RuntimeError(why.value.decode())
        self.handle = self.call("new", PRODUCER, conf, why, len(why))
        if not self.handle:
            raise RuntimeError(why.value.decode())

    def _function(self, name):
        return getattr(self.lib, f"rd_kafka_{name}")

    def call(self, name, *args):
        """Calls a function; whole numbers above an int are pointers."""
        return self._function(name)(*(
            ctypes.c_void_p(arg) if isinstance(arg, int) and arg >= 1 << 31 else arg
            for arg in args))

    def close(self):
        self.call("destroy", self.handle)


def delete_records(bootstrap, topic, partition, before):
    """As kafka-delete-records and retention do: the log begins at offset `before` then."""
    client = Client(bootstrap)
    try:
        offsets = client.call("topic_partition_list_new", 1)
        client.call("topic_partition_list_add", offsets, topic.encode(), partition)
        client.call("topic_partition_list_set_offset", offsets, topic.encode(), partition,
                    ctypes.c_int64(before))
        request = (ctypes.c_void_p * 1)(client.call("DeleteRecords_new", offsets))
        queue = client.call("queue_new", client.handle)
        options = client.call("AdminOptions_new", client.handle, DELETE_RECORDS)
        client.call("DeleteRecords", client.handle, request, ctypes.c_size_t(1), options, queue)
        event = client.call("queue_poll", queue, TIMEOUT_MS)
        if not event or client.call("event_error", event) != 0:
            raise RuntimeError(f"records of {topic} are not deleted")
    finally:
        client.close()


@contextlib.contextmanager
def open_transaction(bootstrap, topic, partition, records):
    """Writes (key, value) records in a transaction that stays open; aborts it at the end."""
    client = Client(bootstrap, transactional_id=f"foreign-{topic}")
    try:
        if client.call("init_transactions", client.handle, TIMEOUT_MS) or client.call(
                "begin_transaction", client.handle):
            raise RuntimeError("no transaction")
        handle = client.call("topic_new", client.handle, topic.encode(), None)
        for key, value in records:
            client.call("produce", handle, partition, COPY, value, ctypes.c_size_t(len(value)),
                        key, ctypes.c_size_t(len(key)), None)
        if client.call("flush", client.handle, TIMEOUT_MS) != 0:
            raise RuntimeError("the transaction's records are not written")
        yield
        client.call("abort_transaction", client.handle, TIMEOUT_MS)
    finally:
        client.close()


class Elsewhere:
    """A broker's port that says in its answers that the broker is elsewhere.

    `host` has as many characters as the broker's own; `port` None: here. cut() makes it
    unreachable."""

    def __init__(self, bootstrap, host=None, port=None):
        own_host, own_port = bootstrap.split(":")
        self.target = own_host, int(own_port)
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        self.own = self._broker(own_host, int(own_port))
        self.told = self._broker(host or own_host, port or self.port)
        self.sockets = []
        threading.Thread(target=self._accept, daemon=True).start()

    @staticmethod
    def _broker(host, port):
        return struct.pack(">H", len(host)) + host.encode() + struct.pack(">I", port)

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client = self.server.accept()[0]
                broker = socket.create_connection(self.target)
                self.sockets += [client, broker]
                threading.Thread(target=self._pass, args=(client, broker), daemon=True).start()

    def _pass(self, client, broker):
        with contextlib.suppress(OSError), selectors.DefaultSelector() as selector:
            selector.register(client, selectors.EVENT_READ, broker)
            selector.register(broker, selectors.EVENT_READ, client)
            while True:
                for key, _ in selector.select():
                    data = key.fileobj.recv(1 << 16)
                    if not data:
                        raise OSError
                    key.data.sendall(data.replace(self.own, self.told)
                                     if key.fileobj is broker else data)
        client.close()
        broker.close()

    def cut(self):
        # A thread may be in accept() or select(): close alone would not reach it.
        for each in (self.server, *self.sockets):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
