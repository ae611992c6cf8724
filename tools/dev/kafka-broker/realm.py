# SPDX-License-Identifier: BSD-3-Clause
"""Make a Kerberos realm: its configuration, its database and its KDC."""

import os
import subprocess

from lab import LabError

from ports import free_port
from recorded import spawn

REALM = "RINGTAP.LAB"
TICKET_LIFETIME = "20 seconds"  # of the client; librdkafka renews it every 10 s, see secured.py
FIRST_PORT = 10088
CLIENT_CONFIGURATION = """\
[libdefaults]
	default_realm = {realm}
	dns_lookup_kdc = false
	dns_lookup_realm = false
	dns_canonicalize_hostname = false
	rdns = false
	# An expired ticket has to fail; five minutes of grace would hide it.
	clockskew = 2
	udp_preference_limit = 1
[realms]
	{realm} = {{
		kdc = 127.0.0.1:{port}
	}}
[domain_realm]
	localhost = {realm}
"""
KDC_CONFIGURATION = """\
[kdcdefaults]
	kdc_listen = 127.0.0.1:{port}
	kdc_tcp_listen = 127.0.0.1:{port}
[realms]
	{realm} = {{
		database_name = {kdc}/principal
		key_stash_file = {kdc}/stash
		acl_file = {kdc}/acl
	}}
[logging]
	kdc = FILE:{logs}/kdc.log
"""
PRINCIPALS = """\
addprinc -randkey kafka/localhost
addprinc -randkey -maxlife "{lifetime}" ringtap
ktadd -k {directory}/broker.keytab kafka/localhost
ktadd -k {client}/ringtap.keytab ringtap
"""


def make_realm(cluster, directory):
    """Makes the realm with the broker's and the client's principal, and starts its KDC."""
    kdc, client = cluster.path / "kdc", cluster.client
    names = {"realm": REALM, "port": free_port(FIRST_PORT), "kdc": kdc, "logs": cluster.logs,
             "directory": directory, "client": client, "lifetime": TICKET_LIFETIME}
    kdc.mkdir()
    (client / "krb5.conf").write_text(CLIENT_CONFIGURATION.format(**names))
    (kdc / "kdc.conf").write_text(KDC_CONFIGURATION.format(**names))
    env = {"KRB5_CONFIG": str(client / "krb5.conf"), "KRB5_KDC_PROFILE": str(kdc / "kdc.conf")}
    password = os.urandom(18).hex()
    log = cluster.logs / "realm.log"
    try:
        _administer(log, env, ["kdb5_util", "create", "-s", "-r", REALM],
                    f"{password}\n{password}\n")
        _administer(log, env, ["kadmin.local", "-r", REALM], PRINCIPALS.format(**names))
    except subprocess.CalledProcessError:
        raise LabError(f"no Kerberos realm, see {log}") from None
    spawn(kdc, cluster.logs / "kdc.log", ["krb5kdc", "-n", "-r", REALM], env)


def _administer(log, env, command, answers):
    with open(log, "ab") as out:
        subprocess.run(command, input=answers.encode(), stdout=out, stderr=out, check=True,
                       env={**os.environ, **env})
