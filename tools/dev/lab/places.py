# SPDX-License-Identifier: BSD-3-Clause
"""Name the files and directories that the laboratory and its tests share."""

import os
import pathlib
import subprocess

SOURCE = pathlib.Path(__file__).resolve().parents[3]
TOOLS = SOURCE / "tools"
KAFKA_BROKER = TOOLS / "kafka-broker"
KAFKA_TOPIC = TOOLS / "kafka-topic"
STATE = pathlib.Path("/run/ringtap-lab")
CLIENTS = pathlib.Path("/run/ringtap-lab-clients")  # of a secured broker; any user can reach it


def build_directory():
    """Where Meson built the programs: $RINGTAP_BUILD, or build/ of the source tree."""
    return pathlib.Path(os.environ.get("RINGTAP_BUILD") or SOURCE / "build")


def instance_directory(name):
    """Where the programs keep the files of the instance, as common/instance.c chooses it."""
    stat = subprocess.run(["stat", "-fc", "%T", "/run"], capture_output=True, text=True, check=True)
    base = "/run" if stat.stdout.strip() == "tmpfs" else "/dev/shm"
    return pathlib.Path(os.environ.get("RINGTAP_DIR") or f"{base}/ringtap") / name
