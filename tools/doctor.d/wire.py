# SPDX-License-Identifier: BSD-3-Clause
"""Speak Kafka's protocol over one connection: connect, TLS, requests and their answers."""

import contextlib
import re
import socket
import ssl
import struct

TIMEOUT_S = 5
LARGEST = 64 << 20  # of an answer; what does not speak Kafka's protocol seems to send longer ones

# Numbers of requests.
FETCH, METADATA, SASL_HANDSHAKE, API_VERSIONS, DESCRIBE_CONFIGS = 1, 3, 17, 18, 32
SASL_AUTHENTICATE, DESCRIBE_CLIENT_QUOTAS, DESCRIBE_QUORUM = 36, 48, 55


class Unreachable(Exception):
    """A broker that cannot be used; the text says why.

    step: what failed: "name", "connection", "tls", "login", or "answer" of what came later.
    """

    def __init__(self, step, why):
        super().__init__(why)
        self.step = step


# ---- requests ------------------------------------------------------------------------------------

def number(kind, value):
    """kind: a letter of struct: b, h, i or q for 8 to 64 bits."""
    return struct.pack(f">{kind}", value)


def text(value):
    return number("h", -1) if value is None else number("h", len(value.encode())) + value.encode()


def data(value):
    return number("i", len(value)) + value


def array(items):
    return number("i", len(items)) + b"".join(items)


# ---- answers -------------------------------------------------------------------------------------

class Answer:
    """Takes an answer apart, from its beginning."""

    def __init__(self, content):
        self.content, self.at = content, 0

    def raw(self, length):
        self.at += length
        if self.at > len(self.content):
            raise struct.error("the answer is too short")
        return self.content[self.at - length:self.at]

    def number(self, kind):
        return struct.unpack(f">{kind}", self.raw(struct.calcsize(kind)))[0]

    def numbers(self, kinds):
        return [self.number(kind) for kind in kinds]

    def data(self):
        return self.raw(max(self.number("i"), 0))

    def text(self):
        length = self.number("h")
        return None if length < 0 else self.raw(length).decode()

    def each(self, item):
        """[item()] of an array."""
        return [item() for _ in range(self.number("i"))]

    # Of "flexible" versions:

    def length(self):
        value = shift = 0
        while True:
            byte = self.number("B")
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    def skip_tags(self):
        for _ in range(self.length()):
            self.length()
            self.raw(self.length())

    def each_compact(self, item):
        found = []
        for _ in range(max(self.length() - 1, 0)):
            found.append(item())
            self.skip_tags()
        return found


# ---- the connection ------------------------------------------------------------------------------

def reason(step, error):
    """What an error of a connection means."""
    why = "" if isinstance(error, EOFError) else \
        getattr(error, "reason", None) or getattr(error, "strerror", None) or str(error)
    why = re.sub(r".*ALERT_", "", why).replace("_", " ").lower()
    if step == "connection":
        return why
    if step == "login":  # with TLS, before any other login
        return "the broker refuses our certificate" + (f": {why}" if why else "")
    if step == "tls":
        return f"no TLS: {why}"
    return "the broker ended the connection, as with a wrong security.protocol" + \
        (f": {why}" if why else "")


@contextlib.contextmanager
def failures(step):
    """A failure of a connection within becomes Unreachable."""
    try:
        yield
    except ssl.SSLCertVerificationError as error:
        raise Unreachable("tls", f"its certificate: {error.verify_message}") from None
    except socket.gaierror:
        raise Unreachable("name", "unknown host name") from None
    except TimeoutError:
        raise Unreachable(step, f"no answer within {TIMEOUT_S} s") from None
    except struct.error:
        raise Unreachable(step, "what answers is not Kafka, or expects TLS") from None
    except (EOFError, OSError) as error:
        raise Unreachable(step, reason(step, error)) from None


class Connection:
    """A broker that was connected to, with TLS if there is a `tls` context; closed by `with`.

    versions: {number of a request: (oldest, newest)} that the broker takes. Everything here raises
    Unreachable.
    """

    def __init__(self, host, port, tls=None):
        self.nb_asked, self.versions = 0, {}
        with failures("connection"):
            self.socket = socket.create_connection((host, port), TIMEOUT_S)
        try:
            if tls:
                with failures("tls"):
                    self.socket = tls.wrap_socket(self.socket, server_hostname=host)
            # Since TLS 1.3 the broker looks at our certificate when we think that we are done.
            answer = self.ask(API_VERSIONS, 0, step="login" if tls else "answer")
            answer.number("h")
            self.versions = {api: (oldest, newest) for api, oldest, newest
                             in answer.each(lambda: answer.numbers("hhh"))}
        except Unreachable:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def takes(self, api, version):
        oldest, newest = self.versions.get(api, (0, -1))
        return oldest <= version <= newest

    def ask(self, api, version, body=b"", flexible=False, step="answer"):
        """The Answer to a request, after its head."""
        self.nb_asked += 1
        head = struct.pack(">hhi", api, version, self.nb_asked) + text("ringtap-doctor")
        with failures(step):
            self.socket.sendall(data(head + (b"\0" if flexible else b"") + body))
            length, answered = struct.unpack(">ii", self._receive(8))
            if answered != self.nb_asked or not 4 <= length <= LARGEST:
                raise struct.error("not an answer to it")
            answer = Answer(self._receive(length - 4))
            if flexible:
                answer.skip_tags()
            return answer

    def _receive(self, length):
        found = bytearray()
        while len(found) < length:
            part = self.socket.recv(length - len(found))
            if not part:
                raise EOFError
            found += part
        return bytes(found)
