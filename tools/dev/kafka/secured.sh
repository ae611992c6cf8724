# SPDX-License-Identifier: BSD-3-Clause
# The secured listeners of tools/kafka-broker start --secured: certificates by a CA of our own, a user
# with a password (SCRAM), a Kerberos realm with a KDC. Sourced by bash, never run.
# The caller sets cluster= and logs=, and has free_port, die, identity and spawn.

realm=RINGTAP.LAB
listeners=(TLS MTLS SCRAM GSSAPI)
ticket_lifetime='20 seconds' # of the client; librdkafka renews it every 10 s, see below

# What clients need is in $cluster/client, for each listener a file of librdkafka's properties.
client=

# secret FILE: makes a file with a random password.
secret() {
	(umask 077 && head -c 18 /dev/urandom | base64 | tr '+/' 'AB' >"$1")
}

# certificate NAME SUBJECT EXTENSION [OPENSSL_REQ_OPTION...]: NAME.pem, signed by the CA, and NAME.key.
certificate() {
	local name=$1 subject=$2 extension=$3
	shift 3
	openssl req -newkey rsa:2048 -keyout "$name.key" -subj "$subject" "$@" -out "$name.csr"
	openssl x509 -req -in "$name.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 \
		-extfile <(echo "$extension") -out "$name.pem"
	rm "$name.csr"
}

make_certificates() (
	cd "$secured"
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -keyout ca.key -out ca.pem \
		-subj '/O=ringtap-lab/CN=ringtap-lab CA'
	certificate server '/O=ringtap-lab/CN=localhost' \
		'subjectAltName = DNS:localhost, IP:127.0.0.1' -nodes
	cat server.key server.pem >keystore.pem
	certificate client '/O=ringtap-lab/CN=ringtap' 'extendedKeyUsage = clientAuth' \
		-passout file:client/key.password
	mv client.pem client.key client/
	cp ca.pem client/
)

write_kerberos() {
	cat >"$client/krb5.conf" <<-EOF
		[libdefaults]
			default_realm = $realm
			dns_lookup_kdc = false
			dns_lookup_realm = false
			dns_canonicalize_hostname = false
			rdns = false
			# A ticket that is over is over; five minutes of grace would hide it.
			clockskew = 2
			udp_preference_limit = 1
		[realms]
			$realm = {
				kdc = 127.0.0.1:$kdc_port
			}
		[domain_realm]
			localhost = $realm
	EOF
	cat >"$kdc/kdc.conf" <<-EOF
		[kdcdefaults]
			kdc_listen = 127.0.0.1:$kdc_port
			kdc_tcp_listen = 127.0.0.1:$kdc_port
		[realms]
			$realm = {
				database_name = $kdc/principal
				key_stash_file = $kdc/stash
				acl_file = $kdc/acl
			}
		[logging]
			kdc = FILE:$logs/kdc.log
	EOF
}

# A realm of our own: its database, the broker's principal and the client's.
make_realm() {
	kdc_port=$(free_port 10088)
	write_kerberos
	export KRB5_CONFIG=$client/krb5.conf KRB5_KDC_PROFILE=$kdc/kdc.conf
	secret "$kdc/password"
	# The master password, twice, from standard input.
	cat "$kdc/password" "$kdc/password" | kdb5_util create -s -r $realm
	kadmin.local -r $realm <<-EOF
		addprinc -randkey kafka/localhost
		addprinc -randkey -maxlife "$ticket_lifetime" ringtap
		ktadd -k $secured/broker.keytab kafka/localhost
		ktadd -k $client/ringtap.keytab ringtap
	EOF
	spawn "$kdc" kdc krb5kdc -n -r $realm
}

# property NAME=VALUE... of the client at listener $1
client_properties() {
	local i=$1
	shift
	{
		echo "bootstrap.servers=localhost:${secured_ports[i]}"
		echo "ssl.ca.location=$client/ca.pem"
		printf '%s\n' "$@"
	} >"$client/${listeners[i],,}.properties"
}

write_client_properties() {
	client_properties 0 security.protocol=ssl
	client_properties 1 security.protocol=ssl \
		"ssl.certificate.location=$client/client.pem" "ssl.key.location=$client/client.key"
	client_properties 2 security.protocol=sasl_ssl sasl.mechanisms=SCRAM-SHA-512 \
		sasl.username=ringtap
	client_properties 3 security.protocol=sasl_ssl sasl.mechanisms=GSSAPI \
		sasl.kerberos.service.name=kafka "sasl.kerberos.principal=ringtap@$realm" \
		"sasl.kerberos.keytab=$client/ringtap.keytab" \
		sasl.kerberos.min.time.before.relogin=10000
}

# Makes all that is needed before the broker starts, and starts the KDC.
make_secured() {
	local listener port=$1
	secured=$cluster/secured
	client=$cluster/client
	kdc=$cluster/kdc
	secured_ports=()
	mkdir -p "$secured" "$client" "$kdc"
	ln -sfn ../client "$secured/client"
	for listener in "${listeners[@]}"; do
		port=$(free_port $((port + 1)))
		secured_ports+=("$port")
	done
	secret "$client/scram.password"
	secret "$client/key.password"
	make_certificates >"$logs/openssl.log" 2>&1 || die "openssl failed, see $logs/openssl.log"
	make_realm >"$logs/realm.log" 2>&1 || die "no Kerberos realm, see $logs/realm.log"
	write_client_properties
}

# Prints what the broker's listeners= has beside the plain one, at host $1.
secured_listeners() {
	local i
	for i in "${!listeners[@]}"; do
		printf ',%s://%s:%s' "${listeners[i]}" "$1" "${secured_ports[i]}"
	done
}

# The same of listener.security.protocol.map=.
secured_protocols=,TLS:SSL,MTLS:SSL,SCRAM:SASL_SSL,GSSAPI:SASL_SSL

# Clients of the plain listener and those without a certificate are User:ANONYMOUS.
secured_properties() {
	cat <<-EOF
		ssl.keystore.type=PEM
		ssl.keystore.location=$secured/keystore.pem
		ssl.truststore.type=PEM
		ssl.truststore.location=$secured/ca.pem
		listener.name.mtls.ssl.client.auth=required
		listener.name.scram.sasl.enabled.mechanisms=SCRAM-SHA-512
		listener.name.scram.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
		listener.name.gssapi.sasl.enabled.mechanisms=GSSAPI
		sasl.kerberos.service.name=kafka
		listener.name.gssapi.gssapi.sasl.jaas.config=com.sun.security.auth.module.Krb5LoginModule required useKeyTab=true storeKey=true isInitiator=false keyTab="$secured/broker.keytab" principal="kafka/localhost@$realm";
		authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
		super.users=User:ANONYMOUS
	EOF
}
