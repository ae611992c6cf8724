#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
# stats-tool from the outside: test_stats_tool.py STATS_TOOL FAKE_PRIMARY. TAP on stdout.

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

GID = 65533  # a group of no user
NOBODY = 65534

TABLE = """\
     ------ in ------  --- queued --- ----- out ----- ---- drops ----
[nic]               8               -               -               -
[rx]                8               0               8               0
[tx]                8               0               8               0
[kaf]               8               1               7               0
"""


class Instance:
    """A fake primary with the name `name`, in a base directory of its own."""

    def __init__(self, base, fake_primary, name="ringtap"):
        self.dir = base / name
        self.counters = self.dir / "counters"
        self.process = subprocess.Popen(
            [fake_primary, name, str(GID)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout.readline() == "ok\n"

    def set(self, *lines):
        for line in lines:
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()
            assert self.process.stdout.readline() == "ok\n", line

    def eight_packets(self):
        """8 packets on their way, 7 of them delivered, through queue 0, ring 0 and slot 0."""
        now = int(time.time() * 1e6)
        self.set(
            "port 0 received 8", "port 0 link_up 1", "queue 0 received 8", "queue 0 enqueued 8",
             "ring 0 enqueued 8",
            "ring 0 released 7", "ring 0 in_ring 1", "ring 0 taken 8", "ring 0 owner 1",
            "slot 0 accepted 8", "slot 0 delivered 7", "slot 0 in_flight 1", "slot 0 state 2",
            "slot 0 pid 4711", "slot 0 supervisor_pid 4710", f"slot 0 started_us {now - 185000000}",
            f"slot 0 heartbeat_us {now}",
        )

    def kill(self):
        self.process.kill()
        self.process.wait()

    def end(self):
        if self.process.poll() is None:
            self.kill()
        shutil.rmtree(self.dir, ignore_errors=True)


class Tests:
    def __init__(self, tool, fake_primary, base):
        self.tool, self.fake_primary, self.base = tool, fake_primary, base

    def run(self, *args, **kwargs):
        return subprocess.run(
            [self.tool, *args], capture_output=True, text=True, timeout=60, check=False, **kwargs
        )

    def instance(self, name="ringtap"):
        self.live = Instance(self.base, self.fake_primary, name)
        return self.live

    def end(self):
        if getattr(self, "live", None):
            self.live.end()

    def test_table_of_a_running_primary(self):
        self.instance().eight_packets()
        r = self.run()
        first, table = r.stdout.split("\n", 1)
        assert r.returncode == 0 and r.stderr == "", r
        assert first.startswith(f"primary: running (pid {self.live.process.pid}), capturing"), first
        assert table == TABLE, table

    def test_stopped(self):
        self.instance().set("header 0 state 3")
        self.live.kill()
        r = self.run()
        assert r.returncode == 0 and "primary: stopped (pid was" in r.stdout, r

    def test_killed(self):
        self.instance().eight_packets()
        self.live.kill()
        r = self.run("-i", "ringtap")
        assert r.returncode == 0 and "primary: killed (pid was" in r.stdout, r
        assert TABLE in r.stdout, r

    def test_stopping_is_still_running(self):
        self.instance().set("header 0 state 3")
        assert "primary: running" in self.run().stdout

    def test_json(self):
        self.instance().eight_packets()
        self.live.set(f"queue 1 received {2**64 - 1}")
        r = self.run("--json")
        assert r.stdout.count("\n") == 1 and r.stdout.endswith("}\n")
        j = json.loads(r.stdout)
        assert j["name"] == "ringtap"
        assert j["primary"]["state"] == "running" and j["primary"]["phase"] == "capturing"
        assert j["primary"]["pid"] == self.live.process.pid
        assert j["primary"]["boot_id"] == "a5" * 16
        assert j["primary"]["dpdk_version"] == '22.11."quoted"\x01\xff'
        assert j["balance"]["nic"] == {"in": 8, "queued": None, "out": None, "drops": 0}
        assert j["balance"]["kaf"] == {"in": 8, "queued": 1, "out": 7, "drops": 0}
        assert len(j["ports"]) == 2 and len(j["queues"]) == 2 and len(j["rings"]) == 4
        assert j["queues"][1]["received"] == 2**64 - 1
        assert j["rings"][0]["worker"] == 0 and j["rings"][1]["worker"] is None
        assert j["rings"][3]["name"] == "ring-1-1" and j["rings"][0]["taken"] == 8
        assert [w["worker"] for w in j["workers"]] == [0]
        assert j["workers"][0]["state"] == "serving" and j["workers"][0]["pid"] == 4711

    def test_every_json_name_is_explained(self):
        self.instance().eight_packets()
        j = json.loads(self.run("--json").stdout)
        text = self.run("--explain").stdout
        for part in ("instance", *("ports", "queues", "rings", "workers")):
            item = j[part] if part == "instance" else j[part][0]
            known = {"port_id", "name", "driver", "queue_id", "lcore_id", "ring_id", "size",
                     "worker", "state", "pid", "supervisor_pid", "started_us", "heartbeat_us"}
            for name in set(item) - known:
                assert f"\n  {name} " in text, name
        for meaning in ("[nic] in", "[kaf] in", "sent again", "[rx] out + sent again"):
            assert meaning in text, meaning

    def test_verbose(self):
        self.instance().eight_packets()
        out = self.run("-v").stdout
        assert TABLE in out
        (worker,) = [line for line in out.splitlines() if " 4711 " in line]
        assert worker.split()[:5] == ["0", "serving", "4711", "4710", "3m5s"], worker
        (ring,) = [line for line in out.splitlines() if line.startswith("ring-0-0 ")]
        assert ring.split()[1:6] == ["0", "0", "0", "1024", "0"], ring

    def test_a_dead_worker_holds_nothing(self):
        self.instance().eight_packets()
        self.live.set("slot 0 state 0")
        j = json.loads(self.run("--json").stdout)
        assert j["workers"][0]["in_flight"] == 0 and j["workers"][0]["delivered"] == 7, j
        assert j["balance"]["kaf"] == {"in": 8, "queued": 0, "out": 7, "drops": 0}, j

    def test_filtered_and_sent_again_have_lines(self):
        self.instance().set("queue 0 filtered 3", "ring 0 sent_again 5", "ring 0 taken 5")
        out = self.run().stdout
        assert "\nfiltered: 3\n" in out and "\nsent again: 5\n" in out, out

    def test_check_holds(self):
        self.instance().eight_packets()
        r = self.run("--check")
        # At rest is the one law that does not speak of packets on their way.
        assert r.returncode == 0, r
        assert r.stdout.endswith("check: 23 laws hold, 0 violated, 1 not judged\n"), r

    def test_check_at_rest(self):
        self.instance().eight_packets()
        self.live.set("ring 0 in_ring 0", "ring 0 released 8", "slot 0 delivered 8")
        r = self.run("--check")
        assert r.returncode == 0 and "24 laws hold, 0 violated, 0 not judged" in r.stdout, r

    def check_fails(self, *wanted):
        r = self.run("--check")
        assert r.returncode == 12, r
        for line in wanted:
            assert line in r.stdout, (line, r.stdout)

    def test_check_names_law_and_numbers(self):
        self.instance().eight_packets()
        self.live.set("queue 0 received 9", "ring 0 taken 6")
        self.check_fails(
            "check: queue 0 of port 0: violated: received = malformed + filtered + enqueued + "
            "ring_full: left 9, right 8\n",
            "check: ring ring-0-0: violated: released + sent_again <= taken: left 7, right 6\n",
            "check: instance: violated: delivered + failed <= taken: left 7, right 6\n",
        )

    def test_check_one_lost_packet_across_processes(self):
        self.instance().eight_packets()
        self.live.set("ring 0 in_ring 0", "ring 0 released 8")
        self.check_fails(
            "check: instance: violated: released <= delivered + failed: left 8, right 7\n",
            "released = delivered + failed, at rest, up to sent_again: left 8, right 7\n",
        )

    def test_check_of_a_killed_primary_allows_for_its_last_burst(self):
        self.instance().eight_packets()
        self.live.set("queue 0 received 40")
        self.live.kill()
        assert self.run("--check").returncode == 0

    def test_no_such_instance(self):
        r = self.run("-i", "nowhere")
        assert r.returncode == 8 and r.stderr.count("\n") == 1, r
        assert "'nowhere'" in r.stderr and "start capture-primary" in r.stderr, r

    def test_group_may_read_others_not(self):
        self.instance().eight_packets()
        r = self.run(user=NOBODY, group=GID, extra_groups=[])
        assert r.returncode == 0 and "primary: running" in r.stdout and TABLE in r.stdout, r
        r = self.run(user=NOBODY, group=NOBODY, extra_groups=[])
        assert r.returncode == 4 and "group" in r.stderr and r.stderr.count("\n") == 1, r

    def test_permission_names_the_group(self):
        self.instance()
        os.chown(self.live.dir, -1, 4)  # adm on every Debian
        r = self.run(user=NOBODY, group=NOBODY, extra_groups=[])
        assert r.returncode == 4 and "group 'adm'" in r.stderr, r

    def test_group_sees_that_it_was_killed(self):
        self.instance()
        self.live.kill()
        r = self.run(user=NOBODY, group=GID, extra_groups=[])
        assert "primary: killed" in r.stdout, r

    def test_not_a_counters_file(self):
        self.instance()
        whole = self.live.counters.read_bytes()
        for content in (b"", b"x", whole[:200], whole[:-64], whole + bytes(64), b"#" * len(whole)):
            self.live.counters.write_bytes(content)
            for args in ((), ("--json",), ("--check",), ("-v",)):
                r = self.run(*args)
                assert r.returncode == 9 and r.stdout == "" and r.stderr.count("\n") == 1, r

    def test_random_damage_never_crashes(self):
        self.instance().eight_packets()
        whole = bytearray(self.live.counters.read_bytes())
        for at in range(0, len(whole), 7):
            damaged = bytearray(whole)
            damaged[at] ^= 0xFF
            self.live.counters.write_bytes(damaged)
            r = self.run("--json" if at % 2 else "-v")
            assert r.returncode in (0, 9), (at, r)

    def test_cut_short_while_watching(self):
        self.instance().eight_packets()
        # The tool maps the file again each time; --check is what reads one mapping for a while.
        self.live.set("queue 0 received 9")
        p = subprocess.Popen([self.tool, "--check"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        time.sleep(0.3)
        os.truncate(self.live.counters, 0)
        out, err = p.communicate(timeout=30)
        assert p.returncode == 9 and b"cut short" in err, (p.returncode, out, err)

    def test_watch_has_rates_and_follows_a_new_primary(self):
        self.instance().eight_packets()
        p = subprocess.Popen(
            [self.tool, "--watch", "0.2"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        time.sleep(0.3)
        self.live.set("port 0 received 2000008")
        time.sleep(0.5)
        self.live.kill()
        time.sleep(0.3)
        again = Instance(self.base, self.fake_primary)
        time.sleep(0.5)
        p.send_signal(signal.SIGTERM)
        out, _ = p.communicate(timeout=30)
        again.end()
        looks = out.split("\n\nprimary: ")
        assert len(looks) >= 6, out
        assert looks[0].count("[nic]") == 1 and looks[1].count("[nic]") == 2, out
        rates = [int(look.split("packets/s\n")[1].split()[13]) for look in looks
                 if "packets/s" in look]
        assert any(5e6 < rate <= 10.5e6 for rate in rates), rates
        assert any(look.startswith("killed") for look in looks), out
        assert f"(pid {again.process.pid})" in looks[-1], out

    def test_a_new_primary_of_the_same_pid(self):
        """In a container, where pids repeat: the boot id tells it from the one before."""
        primary = self.instance().dir / "primary"
        primary.write_text(primary.read_text().replace("boot-id: ", "boot-id: " + "ab" * 16))
        assert json.loads(self.run("--json").stdout)["primary"]["state"] == "restarting"

    def test_watch_json_is_one_object_a_line(self):
        self.instance()
        p = subprocess.Popen(
            [self.tool, "--json", "--watch=0.1"], stdout=subprocess.PIPE, text=True
        )
        lines = [json.loads(p.stdout.readline()) for _ in range(3)]
        p.kill()
        p.wait()
        assert lines[0]["time_us"] < lines[1]["time_us"] < lines[2]["time_us"]

    def test_usage(self):
        bad = (["--nonsense"], ["-i"], ["x"], ["--watch=0"], ["--watch=1x"], ["--watch=nan"],
               ["--watch=-1"], ["--watch", "1e9"], ["--check", "--json"], ["--json", "-v"],
               ["--explain", "--check"], ["--explain", "-v"],
               ["-i", "../etc"], ["-i", ""], ["-i", "-x"], ["-i", "x" * 33])
        for args in bad:
            r = self.run(*args)
            assert r.returncode == 2 and r.stdout == "" and "stats-tool: " in r.stderr, (args, r)
        assert self.run("--version").stdout.startswith("stats-tool ")
        assert "--check" in self.run("--help").stdout

    def test_full_disk_is_an_error(self):
        with open("/dev/full", "w") as full:
            r = subprocess.run([self.tool, "--help"], stdout=full, stderr=subprocess.PIPE,
                               text=True, check=False)
        assert r.returncode == 1 and "cannot write" in r.stderr, r

    def test_needs_no_dpdk(self):
        libs = subprocess.run(["ldd", self.tool], capture_output=True, text=True,
                              check=True).stdout
        assert "libc." in libs and "rte_" not in libs and "rdkafka" not in libs, libs


def main():
    base = pathlib.Path(tempfile.mkdtemp(prefix="stats-tool-"))
    base.chmod(0o755)
    os.environ["RINGTAP_DIR"] = str(base)
    # Others must be able to run it, wherever it was built.
    tool, fake_primary = (shutil.copy(path, base) for path in sys.argv[1:3])
    names = [name for name in dir(Tests) if name.startswith("test_")]
    nb_failed = 0
    for n, name in enumerate(names, 1):
        tests = Tests(tool, fake_primary, base)
        try:
            getattr(tests, name)()
            print(f"ok {n} - {name[5:]}", flush=True)
        except Exception as e:  # one failed test must not hide the next
            nb_failed += 1
            print(f"not ok {n} - {name[5:]}", flush=True)
            print("\n".join(f"# {line}" for line in f"{type(e).__name__}: {e}".splitlines()))
        finally:
            tests.end()
    print(f"1..{len(names)}")
    shutil.rmtree(base)
    return 1 if nb_failed else 0


if __name__ == "__main__":
    sys.exit(main())
