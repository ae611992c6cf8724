# SPDX-License-Identifier: BSD-3-Clause
# What the Kafka tools share: where Java and Kafka's jars are. Sourced by bash, never run.
# The caller sets tools= to the folder of the tools.

kafka_home=$(realpath -m "$tools/../build/kafka")
kafka_jars=$kafka_home/jars
kafka_version='' # another one than pom.xml has
java_bin=$(echo /usr/lib/jvm/java-17-openjdk-*/bin)

# kafka_use VERSION: from now on another version than pom.xml has.
kafka_use() {
	kafka_version=$1
	kafka_jars=$kafka_home/jars-$1
}

# Brings the jars of pom.xml to build/kafka/jars, once: a copy of the pom tells that they are whole.
# A call that comes while another one fetches waits for it.
kafka_fetch_jars() {
	local pom=$tools/dev/kafka/pom.xml
	mkdir -p "$kafka_jars"
	(
		flock 8
		! cmp -s "$pom" "$kafka_jars/pom.xml" || exit 0
		echo "kafka: fetching the jars into $kafka_jars" >&2
		rm -f "$kafka_jars"/*
		if ! log=$(mvn -q -B -U -f "$pom" dependency:copy-dependencies \
			${kafka_version:+-Dkafka.version="$kafka_version"} \
			-DincludeScope=runtime -DoutputDirectory="$kafka_jars" 2>&1 </dev/null); then
			echo "$log" >&2
			echo "kafka: cannot fetch the jars, see above; Maven needs Maven Central or a mirror of it" >&2
			exit 1
		fi
		cp "$pom" "$kafka_jars/pom.xml"
	) 8<"$kafka_jars"
}
