# SPDX-License-Identifier: BSD-3-Clause
"""Read from librdkafka's properties where the brokers are and how to connect to them."""

import contextlib
import os
import re
import ssl

DEFAULT_PORT = 9092


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


@contextlib.contextmanager
def held(text):
    """Within: the path of a file in memory with a text, which Python's TLS takes in files only."""
    with open(os.memfd_create("pem"), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        yield f"/proc/{os.getpid()}/fd/{file.fileno()}"


class Security:
    """How to connect, from librdkafka's properties.

    mechanism: SASL's, "" for none. context: TLS's settings for Python, None without TLS.
    """

    def __init__(self, configuration):
        self.context = None  # load() makes it
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
        if not self.tls:
            return "ANONYMOUS"
        with self._own_certificate() as (certificate, _):
            if not certificate:
                return "ANONYMOUS"
            # Its subject, unless the broker has rules of its own.
            done = self.host.run("openssl", "x509", "-in", certificate[1], "-noout", "-subject",
                                 "-nameopt", "RFC2253")
        return done[1].strip().removeprefix("subject=") if done and done[0] == 0 else "CN=..."

    def remedy(self):
        """What to check when the broker refuses the login."""
        names = "sasl.*" if self.sasl else "ssl.certificate.location"
        return f"fix security.protocol and {names} under kafka: global:"

    @contextlib.contextmanager
    def _own_certificate(self):
        """Within: (what it is, its path) of our certificate, None without one, and of its key."""
        keystore = self.kafka("ssl.keystore.location")
        with contextlib.ExitStack() as files:
            def find(name):
                path, text = self.kafka(f"ssl.{name}.location"), self.kafka(f"ssl.{name}.pem")
                if path:
                    return f"ssl.{name}.location {path}", path
                return (f"ssl.{name}.pem", files.enter_context(held(text))) if text else None
            if keystore:
                content = files.enter_context(held(self._content_of(keystore)))
                yield ((f"ssl.keystore.location {keystore}", content),) * 2
            else:
                certificate = find("certificate")
                yield certificate, find("key") or certificate

    def _content_of(self, keystore):
        """Certificates and key of a PKCS#12 file, as PEM."""
        done = self.host.run("openssl", "pkcs12", "-in", keystore, "-nodes", "-passin", "stdin",
                             given=self.kafka("ssl.keystore.password") or "")
        if done is None or done[0] != 0:
            why = (done[2].strip().splitlines() or [""])[0] if done else "it takes openssl(1)"
            raise OSError(f"ssl.keystore.location {keystore}: {why}")
        return done[1]

    def load(self):
        """Makes the context. Raises OSError (ssl.SSLError is one)."""
        if not self.tls:
            return
        location = self.kafka("ssl.ca.location")
        place = "capath" if os.path.isdir(location or "") else "cafile"
        with about(f"ssl.ca.location {location}" if location else "ssl.ca.pem"):
            context = ssl.create_default_context(cadata=self.kafka("ssl.ca.pem"), **{
                place: None if location == "probe" else location})
        # Python 3.13 refuses a CA without keyUsage; librdkafka takes it.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        with self._own_certificate() as (certificate, key):
            if certificate:
                with about(certificate[0]):  # alone: what follows reads both
                    ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(certificate[1])
                with about(key[0]):
                    context.load_cert_chain(certificate[1], key[1],
                                            lambda: self.kafka("ssl.key.password") or "")
        if (self.kafka("ssl.endpoint.identification.algorithm") or "https") == "none":
            context.check_hostname = False
        if self.kafka("enable.ssl.certificate.verification") == "false":
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        self.context = context
