#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# A topic with one replica and min.insync.replicas=2 takes records with acks=all.
#
# Kafka 4.4.0, kcat 1.7.1 (Debian 12). The documentation has it that with acks=all this number of
# replicas must acknowledge a write, so one would have sworn that such a topic can never be written
# to. Brokers take the smaller one of min.insync.replicas and the number of replicas of the topic.
# A check that compares the in-sync replicas with the setting alone gives a false alarm, and whoever
# relies on the setting to keep two copies has one.
#
# Seen: written 1 of 1. Needs Java, Maven, kcat and unshare.

set -euo pipefail

if [ -z "${FINDING_FOLDER:-}" ]; then
	FINDING_FOLDER=$(mktemp -d)
	trap 'rm -rf "$FINDING_FOLDER"' EXIT
	export FINDING_FOLDER
	cat >"$FINDING_FOLDER/pom.xml" <<-END
		<project xmlns="http://maven.apache.org/POM/4.0.0">
		  <modelVersion>4.0.0</modelVersion>
		  <groupId>finding</groupId><artifactId>finding</artifactId><version>1</version>
		  <packaging>pom</packaging>
		  <dependencies>
		    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId>
		      <version>4.4.0</version></dependency>
		  </dependencies>
		</project>
	END
	mvn -q -C -f "$FINDING_FOLDER/pom.xml" "-Dmaven.repo.local=$FINDING_FOLDER/m2" \
		org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies \
		"-DoutputDirectory=$FINDING_FOLDER/jars" -DincludeScope=runtime
	unshare --net --pid --fork --kill-child --mount-proc "$0"
	exit
fi

ip link set lo up
cd "$FINDING_FOLDER"
cat >broker.properties <<END
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:9093
listeners=PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093
controller.listener.names=CONTROLLER
log.dirs=$FINDING_FOLDER/data
min.insync.replicas=2
default.replication.factor=1
auto.create.topics.enable=true
END
java=(java -Xmx400m -cp "$FINDING_FOLDER/jars/*")
"${java[@]}" kafka.tools.StorageTool format -t AAAAAAAAAAAAAAAAAAAAAQ -c broker.properties >format.out
"${java[@]}" kafka.Kafka broker.properties >broker.out 2>&1 &
tries=60
until kcat -L -b 127.0.0.1:9092 >/dev/null 2>&1; do
	((tries--)) || {
		tail -n 5 broker.out
		exit 1
	}
	sleep 1
done
kcat -L -b 127.0.0.1:9092 -t one -X allow.auto.create.topics=true >/dev/null
sleep 3
echo record | timeout 30 kcat -P -b 127.0.0.1:9092 -t one -p 0 -X acks=all -X retries=0 || true
got="written $(timeout 30 kcat -C -b 127.0.0.1:9092 -t one -o beginning -e -q | wc -l) of 1"
echo "$got"
[ "$got" = "written 1 of 1" ] || {
	echo "changed: $got"
	exit 1
}
