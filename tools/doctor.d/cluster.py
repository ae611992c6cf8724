# SPDX-License-Identifier: BSD-3-Clause
"""Ask a Kafka cluster, with the configuration's TLS and SASL settings; write nothing to it."""

import contextlib
import logging
import re
import socket
import ssl

TIMEOUT_S = 5
DEFAULT_PORT = 9092

FETCH = 1
# Mechanisms of the Python client; the secondary's librdkafka has more.
MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")


class Unreachable(Exception):
    """An address that cannot be used; one line says why. remedy: None for the usual one."""

    def __init__(self, text, remedy=None):
        super().__init__(text)
        self.remedy = remedy


def unreachable_member(text):
    return Unreachable(f"the cluster names a broker that cannot be reached: {text}",
                       "fix advertised.listeners of that broker, or the network")


def addresses(text):
    """[(host, port)] of bootstrap.servers, as librdkafka takes them apart."""
    found = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        # With more colons than one and no brackets it is an IPv6 address without a port.
        match = re.fullmatch(r"(?:[A-Za-z_]+://)?(?:(\[.+\]|[^:]*)(?::(\d+))?|(.*))", part)
        found.append(((match[1] or match[3]).strip("[]"), int(match[2] or DEFAULT_PORT)))
    return found


def address_text(host, port):
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


@contextlib.contextmanager
def about(what):
    """An error of TLS within does not say which file it is about."""
    try:
        yield
    except OSError as error:
        raise OSError(f"{what}: {error.strerror or error}") from None


class Security:
    """How to connect, from librdkafka's properties.

    mechanism: SASL's, "" for none.
    """

    def __init__(self, configuration):
        self.kafka, self.host = configuration.kafka, configuration.host
        protocol = (self.kafka("security.protocol") or "plaintext").upper()
        self.tls = protocol.endswith("SSL")
        self.sasl = protocol.startswith("SASL")
        self.mechanism = ""
        if self.sasl:
            self.mechanism = self.kafka("sasl.mechanisms", "sasl.mechanism") or "GSSAPI"
        self.protocol = protocol

    def __str__(self):
        return self.protocol + (f", {self.mechanism}" if self.mechanism else "")

    def principal(self):
        """The name for an ACL, as far as it is known here."""
        if self.sasl:
            kerberos = self.kafka("sasl.kerberos.principal") or "PRINCIPAL"
            return self.kafka("sasl.username") or re.split("[/@]", kerberos)[0]
        certificate = self.kafka("ssl.certificate.location")
        if not self.tls or not certificate:
            return "ANONYMOUS"
        # Its subject, unless the broker has rules of its own.
        done = self.host.run("openssl", "x509", "-in", certificate, "-noout", "-subject",
                             "-nameopt", "RFC2253")
        return done[1].strip().removeprefix("subject=") if done and done[0] == 0 else "CN=..."

    def remedy(self):
        """What to check when the broker refuses the login."""
        names = "sasl.*" if self.sasl else "ssl.certificate.location"
        return f"fix security.protocol and {names} under kafka: global:"

    def context(self):
        """TLS's settings for Python; None without TLS. Raises OSError (ssl.SSLError is one)."""
        if not self.tls:
            return None
        location = self.kafka("ssl.ca.location")
        with about(f"ssl.ca.location {location}" if location else "ssl.ca.pem"):
            context = ssl.create_default_context(cafile=None if location == "probe" else location,
                                                 cadata=self.kafka("ssl.ca.pem"))
        certificate, key = self.kafka("ssl.certificate.location"), self.kafka("ssl.key.location")
        if certificate:
            with about(f"ssl.certificate.location {certificate}"):  # alone: what follows reads both
                ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(certificate)
            with about(f"ssl.key.location {key or certificate}"):
                context.load_cert_chain(certificate, key,
                                        lambda: self.kafka("ssl.key.password") or "")
        if (self.kafka("ssl.endpoint.identification.algorithm") or "https") == "none":
            context.check_hostname = False
        if self.kafka("enable.ssl.certificate.verification") == "false":
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context


def reach(host, port, context):
    """Connects, with TLS if there is a context. Raises Unreachable."""
    where = address_text(host, port)
    try:
        with socket.create_connection((host, port), TIMEOUT_S) as plain:
            if context is not None:
                with context.wrap_socket(plain, server_hostname=host):
                    pass
    except ssl.SSLCertVerificationError as error:
        raise Unreachable(f"{where}: its certificate: {error.verify_message}") from None
    except ssl.SSLError as error:
        raise Unreachable(f"{where}: no TLS: {error.reason or error}") from None
    except socket.gaierror:
        raise Unreachable(f"{where}: unknown host name") from None
    except TimeoutError:
        raise Unreachable(f"{where}: no answer within {TIMEOUT_S} s") from None
    except OSError as error:
        raise Unreachable(f"{where}: {(error.strerror or str(error)).lower()}") from None


class _LastError(logging.Handler):
    """Keeps what the client logs instead of saying it in its exception."""

    def __init__(self):
        super().__init__(logging.ERROR)
        self.text = ""

    def emit(self, record):
        connection, _, text = record.getMessage().splitlines()[0].rpartition(">: ")
        # A broker ends the connection without a word.
        if "<authenticating>" in connection and text.startswith("Error receiving"):
            text = "user name or password is wrong"
        self.text = text


def why_no_login(security, text):
    """What the client's words mean, once that the first broker was reached."""
    if match := re.search(r"<BrokerConnection node_id=\d+ host=(\S+) <connecting>", text):
        return unreachable_member(match[1])
    # Since TLS 1.3 the broker looks at it when we think that we are done.
    if security.tls and (match := re.search(r"(?:alert (.*)|EOF.*) \(_ssl|reset by peer", text)):
        text = "the broker refuses our certificate" + (f": {match[1]}" if match[1] else "")
    return Unreachable(f"no login by {security}: {text}")


def _metadata_request(topic):
    """The request that also tells what the principal may do: the client knows older ones only."""
    from kafka.protocol import types as t
    from kafka.protocol.api import Request, Response

    partition = t.Array(
        ("error_code", t.Int16), ("partition", t.Int32), ("leader", t.Int32),
        ("leader_epoch", t.Int32), ("replicas", t.Array(t.Int32)), ("isr", t.Array(t.Int32)),
        ("offline", t.Array(t.Int32)))

    class MetadataResponse(Response):
        API_KEY, API_VERSION = 3, 8
        SCHEMA = t.Schema(
            ("throttle_time_ms", t.Int32),
            ("brokers", t.Array(("node_id", t.Int32), ("host", t.String("utf-8")),
                                ("port", t.Int32), ("rack", t.String("utf-8")))),
            ("cluster_id", t.String("utf-8")), ("controller_id", t.Int32),
            ("topics", t.Array(("error_code", t.Int16), ("topic", t.String("utf-8")),
                               ("is_internal", t.Boolean), ("partitions", partition),
                               ("operations", t.Int32))),
            ("operations", t.Int32))

    class MetadataRequest(Request):
        API_KEY, API_VERSION, RESPONSE_TYPE = 3, 8, MetadataResponse
        SCHEMA = t.Schema(("topics", t.Array(t.String("utf-8"))), ("create", t.Boolean),
                          ("cluster_operations", t.Boolean), ("topic_operations", t.Boolean))

    return MetadataRequest([topic], False, False, True)


class Topic:
    """What the cluster says of a topic.

    error: Kafka's code. partitions: [(leader, replicas, in-sync replicas)]. operations: a bit for
    each that the principal may do, negative when the cluster does not say.
    """

    def __init__(self, error, partitions, operations):
        self.error, self.operations = error, operations
        self.partitions = [(p[2], p[4], p[5]) for p in partitions]


class Cluster:
    """A connection to the cluster. Raises Unreachable when there is none."""

    def __init__(self, servers, security):
        from kafka import KafkaAdminClient
        from kafka.errors import KafkaError

        errors = _LastError()
        logger = logging.getLogger("kafka")
        logger.addHandler(errors)
        logger.propagate = False
        try:
            self.admin = KafkaAdminClient(
                bootstrap_servers=[address_text(*server) for server in servers],
                client_id="ringtap-doctor", request_timeout_ms=TIMEOUT_S * 1000,
                api_version_auto_timeout_ms=TIMEOUT_S * 1000, security_protocol=security.protocol,
                ssl_context=security.context(), sasl_mechanism=security.mechanism or None,
                sasl_plain_username=security.kafka("sasl.username"),
                sasl_plain_password=security.kafka("sasl.password"))
        except (KafkaError, OSError, AssertionError) as error:
            raise why_no_login(security, errors.text or str(error)) from None
        finally:
            logger.removeHandler(errors)

    def is_kafka_4(self):
        """It took the old requests away."""
        return self.admin._client._api_versions[FETCH][0] >= 4

    def _ask(self, request):
        from kafka.errors import KafkaError

        # The admin client keeps its senders to itself; there is no other way to its connection.
        try:
            future = self.admin._send_request_to_node(self.admin._client.least_loaded_node(),
                                                      request)
            self.admin._wait_for_futures([future])
        except KafkaError as error:
            raise Unreachable(f"no metadata, which takes Kafka 2.3 or later: {error}") from None
        return future.value

    def look_at(self, topic):
        """(addresses of all brokers, Topic)."""
        response = self._ask(_metadata_request(topic))
        found = response.topics[0]
        return ([(broker[1], broker[2]) for broker in response.brokers],
                Topic(found[0], found[3], found[4]))

    def settings(self, topic):
        """The topic's configuration, the cluster's defaults in it; empty if it may not be read."""
        from kafka.admin import ConfigResource, ConfigResourceType
        from kafka.errors import KafkaError

        try:
            responses = self.admin.describe_configs(
                [ConfigResource(ConfigResourceType.TOPIC, topic)])
        except KafkaError:
            return {}
        code, _, _, _, entries = responses[0].resources[0]
        return {entry[0]: entry[1] for entry in entries} if code == 0 else {}
