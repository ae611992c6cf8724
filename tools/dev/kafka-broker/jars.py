# SPDX-License-Identifier: BSD-3-Clause
"""Find Java, and fetch Kafka's jars with Maven."""

import filecmp
import pathlib
import shutil
import subprocess
import sys

from lab import SOURCE, LabError

from directory_lock import locked

POM = pathlib.Path(__file__).resolve().parent / "pom.xml"
KAFKA_HOME = SOURCE / "build" / "kafka"
DEFAULT_JAVA = pathlib.Path("/usr/lib/jvm/default-java/bin")  # the distribution's own version
JAVA_BIN = DEFAULT_JAVA if DEFAULT_JAVA.exists() else pathlib.Path("/usr/bin")


class Jars:
    """The jars of Kafka, of the version in pom.xml or of another one."""

    def __init__(self, version=None):
        self.version = version
        self.directory = KAFKA_HOME / (f"jars-{version}" if version else "jars")
        self.classpath = f"{self.directory}/*"

    def fetch(self):
        """Fetches the jars once; waits for another program that does.

        A copy of pom.xml in the directory says that the jars are complete.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        copy = self.directory / POM.name
        with locked(self.directory) as lock:
            if copy.exists() and filecmp.cmp(POM, copy, shallow=False):
                return
            print(f"kafka: fetching the jars into {self.directory}", file=sys.stderr, flush=True)
            for path in self.directory.iterdir():
                path.unlink()
            self._copy_dependencies(lock)
            shutil.copyfile(POM, copy)

    def _copy_dependencies(self, lock):
        version = [f"-Dkafka.version={self.version}"] if self.version else []
        done = subprocess.run(
            ["mvn", "-q", "-B", "-U", "-C", "-f", POM, "dependency:copy-dependencies", *version,
             "-DincludeScope=runtime", f"-DoutputDirectory={self.directory}"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
            pass_fds=[lock])  # it may outlive this program
        if done.returncode != 0:
            sys.stderr.write(done.stdout.decode(errors="replace"))
            raise LabError("cannot fetch the jars, see above; Maven needs Maven Central or a "
                           "mirror of it")
