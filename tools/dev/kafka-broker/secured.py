# SPDX-License-Identifier: BSD-3-Clause
"""Secure a broker: listeners with TLS, client certificates, SCRAM and GSSAPI; ACLs."""

import base64
import os

from ports import free_port
from certificates import make_certificates
from realm import REALM, make_realm

# A listener's name, its protocol, and what its clients need beside server and CA.
LISTENERS = {
    "TLS": ("SSL", ["security.protocol=ssl"]),
    "MTLS": ("SSL", ["security.protocol=ssl", "ssl.certificate.location={client}/client.pem",
                     "ssl.key.location={client}/client.key"]),
    "SCRAM": ("SASL_SSL", ["security.protocol=sasl_ssl", "sasl.mechanisms=SCRAM-SHA-512",
                           "sasl.username=ringtap"]),
    "GSSAPI": ("SASL_SSL", ["security.protocol=sasl_ssl", "sasl.mechanisms=GSSAPI",
                            "sasl.kerberos.service.name=kafka",
                            f"sasl.kerberos.principal=ringtap@{REALM}",
                            "sasl.kerberos.keytab={client}/ringtap.keytab",
                            "sasl.kerberos.min.time.before.relogin=10000"]),
}
# Clients of the plain listener and those without a certificate are User:ANONYMOUS.
PROPERTIES = """\
ssl.keystore.type=PEM
ssl.keystore.location={directory}/keystore.pem
ssl.truststore.type=PEM
ssl.truststore.location={directory}/ca.pem
listener.name.mtls.ssl.client.auth=required
listener.name.scram.sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.scram.scram-sha-512.sasl.jaas.config=\
org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.gssapi.sasl.enabled.mechanisms=GSSAPI
sasl.kerberos.service.name=kafka
listener.name.gssapi.gssapi.sasl.jaas.config=com.sun.security.auth.module.Krb5LoginModule required \
useKeyTab=true storeKey=true isInitiator=false keyTab="{directory}/broker.keytab" \
principal="kafka/localhost@{realm}";
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
"""


class Secured:
    """The secured listeners of a cluster of one broker.

    What clients need is in the cluster's client/: properties of librdkafka for each listener,
    certificates, passwords, keytab, krb5.conf.
    """

    protocols = "".join(f",{name}:{protocol}" for name, (protocol, _) in LISTENERS.items())

    def __init__(self, cluster):
        self._cluster = cluster
        self._directory = cluster.path / "secured"
        self._ports = {}

    def make(self, port):
        """Makes all that is needed before the broker starts, and starts the KDC."""
        client = self._cluster.client
        self._directory.mkdir()
        client.mkdir()
        for name in LISTENERS:
            self._ports[name] = free_port(port)
            port = self._ports[name] + 1
        for name in ("scram.password", "key.password"):
            write_secret(client / name)
        make_certificates(self._directory, client, self._cluster.logs / "openssl.log")
        make_realm(self._cluster, self._directory)
        for name, (_, properties) in LISTENERS.items():
            lines = [f"bootstrap.servers=localhost:{self._ports[name]}",
                     f"ssl.ca.location={client}/ca.pem", *properties]
            text = "".join(f"{line}\n" for line in lines).replace("{client}", str(client))
            (client / f"{name.lower()}.properties").write_text(text)

    def addresses(self, host):
        """What the broker's list of listeners has beside the plain one."""
        return "".join(f",{name}://{host}:{port}" for name, port in self._ports.items())

    def properties(self):
        return PROPERTIES.format(directory=self._directory, realm=REALM)

    def format_options(self):
        """What the storage is formatted with: the user and his password."""
        password = (self._cluster.client / "scram.password").read_text().strip()
        return ["--add-scram", f"SCRAM-SHA-512=[name=ringtap,password={password}]"]


def write_secret(path):
    """Writes a file with a random password, which only root can read."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(fd, "wb") as f:
        f.write(base64.b64encode(os.urandom(18), b"AB") + b"\n")
