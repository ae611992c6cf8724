# SPDX-License-Identifier: BSD-3-Clause
"""Write records with kafka-python, which says of a failed one nothing unless it is asked."""

from kafka import KafkaProducer


class Producer(KafkaProducer):
    """Keeps the order, sends again what a broker refuses that has just begun to lead a partition;
    close() raises the error of a record that was not written."""

    def __init__(self, bootstrap):
        super().__init__(bootstrap_servers=bootstrap, api_version=(2, 1), acks="all", retries=50,
                         retry_backoff_ms=100, max_in_flight_requests_per_connection=1)
        self.sent = []

    def send(self, *words, **options):
        future = super().send(*words, **options)
        self.sent.append(future)
        return future

    def close(self, timeout=None):
        self.flush()
        super().close(timeout)
        for future in self.sent:
            future.get(0)
