# SPDX-License-Identifier: BSD-3-Clause
"""Make the certificates of a secured broker and its client, signed by a CA of their own."""

import subprocess

from lab import LabError

DAYS = "2"


def make_certificates(directory, client, log):
    """Makes keystore.pem and ca.pem in `directory`, the client's files in `client`."""
    def openssl(*words):
        with open(log, "ab") as out:
            subprocess.run(["openssl", *words], cwd=directory, stdin=subprocess.DEVNULL, stdout=out,
                           stderr=out, check=True)

    try:
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", DAYS, "-keyout", "ca.key",
                "-out", "ca.pem", "-subj", "/O=ringtap-lab/CN=ringtap-lab CA")
        _sign(openssl, directory, "server", "/O=ringtap-lab/CN=localhost",
              "subjectAltName = DNS:localhost, IP:127.0.0.1", "-nodes")
        _sign(openssl, directory, "client", "/O=ringtap-lab/CN=ringtap",
              "extendedKeyUsage = clientAuth", "-passout", f"file:{client}/key.password")
    except subprocess.CalledProcessError:
        raise LabError(f"openssl failed, see {log}") from None
    (directory / "keystore.pem").write_text((directory / "server.key").read_text()
                                            + (directory / "server.pem").read_text())
    for name in ("client.pem", "client.key"):
        (directory / name).rename(client / name)
    (client / "ca.pem").write_text((directory / "ca.pem").read_text())


def _sign(openssl, directory, name, subject, extension, *key_options):
    """Makes NAME.key and NAME.pem, signed by the CA."""
    extensions = directory / f"{name}.ext"
    extensions.write_text(f"{extension}\n")
    openssl("req", "-newkey", "rsa:2048", "-keyout", f"{name}.key", "-subj", subject, *key_options,
            "-out", f"{name}.csr")
    openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
            "-CAcreateserial", "-days", DAYS, "-extfile", extensions.name, "-out", f"{name}.pem")
    extensions.unlink()
    (directory / f"{name}.csr").unlink()
