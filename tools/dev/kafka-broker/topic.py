# SPDX-License-Identifier: BSD-3-Clause
"""Make, show and read topics with Kafka's own Java client; compile it at the first use."""

import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from lab import LabError

from directory_lock import locked
from jars import JAVA_BIN, KAFKA_HOME, Jars

CLASSES = KAFKA_HOME / "classes"
USAGE = """\
Usage: tools/kafka-topic --bootstrap HOST:PORT[,...] COMMAND

  create NAME --partitions N [--replication R] [--config KEY=VALUE]...
  delete NAME
  describe NAME          one line a partition: leader, replicas, in-sync replicas
  add-partitions NAME N  makes it N partitions in all
  configure NAME --config KEY=VALUE...
                         changes the topic's configuration
  quota CLIENT-ID --bytes-per-s N
                         limits producers of that client.id; 0 ends the limit
  grant NAME --principal P --operation O
                         adds the ACL, such as User:ringtap and WRITE
  revoke NAME --principal P --operation O
                         removes it
  read NAME --output FILE [--until-count N] [--follow-until-file PATH]
       [--idle-ms N] [--max N] [--timeout-s T]

read takes all partitions from their beginning and stops at the ends that it saw at
start. With --until-count it goes on until N records are there; with
--follow-until-file until PATH exists and the ends of that moment are reached; new
partitions are included. Either way it also stops when no record came for --idle-ms, and
after --max records. When none of this came true within --timeout-s (default 600) it
fails. The last line on standard output is "N records".

FILE holds the records one after the other, numbers in network byte order:

  u32 partition, u64 offset, u64 timestamp in ms,
  i32 key length (-1: no key), key, i32 value length (-1: no value), value

Exit: 0 done, 1 failed (one line says why), 2 usage.
"""


def compile_client(jars):
    source, compiled = HERE / "KafkaTopic.java", CLASSES / "KafkaTopic.class"
    CLASSES.mkdir(parents=True, exist_ok=True)
    with locked(CLASSES):
        if not compiled.exists() or compiled.stat().st_mtime < source.stat().st_mtime:
            subprocess.run([JAVA_BIN / "javac", "-Xlint:all", "-Werror", "-cp", jars.classpath,
                            "-d", CLASSES, source], stdout=sys.stderr, check=True)


def main():
    if sys.argv[1:2] in (["--help"], ["-h"]):
        print(USAGE, end="")
        return 0
    jars = Jars()
    try:
        jars.fetch()
        compile_client(jars)
    except (LabError, OSError, subprocess.CalledProcessError) as error:
        print(f"kafka-topic: {error}", file=sys.stderr)
        return 1
    return os.execv(JAVA_BIN / "java", [
        "java", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData",
        "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
        "-cp", f"{CLASSES}:{jars.classpath}", "KafkaTopic", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
