# SPDX-License-Identifier: BSD-3-Clause
"""Connect to a broker and log in, as the configuration says: TLS and SASL."""

import base64
import hashlib
import hmac
import os

from security import address_text
from wire import SASL_AUTHENTICATE, SASL_HANDSHAKE, Connection, Unreachable, data, text

SASL_AUTHENTICATION_FAILED, UNSUPPORTED_SASL_MECHANISM = 58, 33
HASHES = {"SCRAM-SHA-256": "sha256", "SCRAM-SHA-512": "sha512"}
MECHANISMS = ("PLAIN", *HASHES)  # the secondary's librdkafka has more


def connect(host, port, security):
    """A Connection to a broker that has let us in. Raises Unreachable with the address.

    With a mechanism that is none of ours it is not logged in.
    """
    where, connection = address_text(host, port), None
    try:
        connection = Connection(host, port, security.context)
        if security.mechanism in MECHANISMS:
            log_in(connection, security)
        return connection
    except Unreachable as error:
        if connection:
            connection.close()
        why = f" reached, no login by {security}" if error.step == "login" else ""
        raise Unreachable(error.step, f"{where}{why}: {error}") from None


def log_in(connection, security):
    answer = connection.ask(SASL_HANDSHAKE, 1, text(security.mechanism), step="login")
    error, offered = answer.number("h"), answer.each(answer.text)
    if error == UNSUPPORTED_SASL_MECHANISM:
        raise Unreachable("login", f"the broker offers {', '.join(offered)}")
    if error:
        raise Unreachable("login", f"the broker offers no SASL at this port (error {error})")
    user = security.kafka("sasl.username") or ""
    password = security.kafka("sasl.password") or ""
    if security.mechanism == "PLAIN":
        authenticate(connection, f"\0{user}\0{password}")
    else:
        by_scram(connection, HASHES[security.mechanism], user, password.encode())


def authenticate(connection, message):
    """The broker's message that follows one of ours."""
    answer = connection.ask(SASL_AUTHENTICATE, 0, data(message.encode()), step="login")
    error, why = answer.number("h"), answer.text()
    if error == SASL_AUTHENTICATION_FAILED:
        raise Unreachable("login", "user name or password is wrong")
    if error:
        raise Unreachable("login", why or f"error {error}")
    return answer.data().decode()


def by_scram(connection, name, user, password):
    """RFC 5802, without channel binding."""
    def keyed(key, message):
        return hmac.digest(key, message.encode(), name)

    nonce = base64.b64encode(os.urandom(24)).decode()
    user = user.replace("=", "=3D").replace(",", "=2C")
    first = f"n={user},r={nonce}"
    challenge = authenticate(connection, f"n,,{first}")
    parts = dict(part.split("=", 1) for part in challenge.split(","))
    salted = hashlib.pbkdf2_hmac(name, password, base64.b64decode(parts["s"]), int(parts["i"]))
    last = f"c=biws,r={parts['r']}"
    signed = f"{first},{challenge},{last}"
    key = keyed(salted, "Client Key")
    signature = keyed(hashlib.new(name, key).digest(), signed)
    proof = bytes(a ^ b for a, b in zip(key, signature, strict=True))
    answer = authenticate(connection, f"{last},p={base64.b64encode(proof).decode()}")
    known = base64.b64encode(keyed(keyed(salted, "Server Key"), signed)).decode()
    if answer != f"v={known}":
        raise Unreachable("login", "the broker does not know the password either")
