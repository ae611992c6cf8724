#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""What `meson install` leaves in a DESTDIR: all of it, and all of it works. Prints TAP."""

import os
import pathlib
import re
import sys

from destination import PROGRAMS, SCRIPTS, UNITS, Destination, run, setting
from tap import Tap

PAGES = {"capture-primary": 8, "kafka-secondary": 8, "stats-tool": 1, "kafka-to-pcap": 1,
         "ringtap-doctor": 8, "fastcapa-import": 1}
MANUAL = ("ringtap", *(f"ringtap-{page}" for page in ("devices", "fastcapa", "host", "reading",
                                                      "security", "troubleshooting", "tuning")))
# systemd's measure of a service, times ten: of two that are root and one that drives devices.
EXPOSURE = {"ringtap-primary@": 48, "ringtap-secondary@": 39}
# A restart cannot fix these.
FINAL = {"USAGE", "CONFIG", "NOT_ROOT"}

SYSTEMCTL = """\
#!/bin/sh
echo "$@" >>"$CALLS"
"""


def wanted(to):
    """Each file with its mode, a link with where it points to."""
    completions = to.path("datadir", "bash-completion/completions")
    files = {to.program(name): 0o755 for name in PROGRAMS}
    files |= {to.path("mandir", f"man{s}/{name}.{s}"): 0o644 for name, s in PAGES.items()}
    files |= {to.path("mandir", f"man7/{name}.7"): 0o644 for name in MANUAL}
    files |= {to.path("units", f"{name}.service"): 0o644 for name in UNITS}
    files |= {completions / name: "ringtap" for name in PROGRAMS}
    parts = (pathlib.Path(__file__).resolve().parents[2] / "tools" / "doctor.d").glob("*.py")
    files |= {to.path("datadir", "ringtap/doctor.d", part.name): 0o644 for part in parts}
    return files | {
        completions / "ringtap": 0o644,
        to.path("mandir", "man5/ringtap.yaml.5"): 0o644,
        to.path("sysconfdir", "ringtap/ringtap.yaml"): 0o640,
        to.path("sysconfdir", "logrotate.d/ringtap"): 0o644,
        to.path("datadir", "ringtap/examples/lab.yaml"): 0o644,
    }


def files(tap, to):
    tap.equal(to.installing.returncode, 0, "meson install ends well")
    found = {path: os.readlink(path) if path.is_symlink() else path.stat().st_mode & 0o7777
             for path in to.root.rglob("*") if path.is_symlink() or path.is_file()}
    expected = wanted(to)
    tap.none(sorted(map(str, expected.keys() - found.keys())), "everything is there")
    tap.none(sorted(map(str, found.keys() - expected.keys())), "nothing else is")
    tap.none([(str(path), value, found[path]) for path, value in expected.items()
              if found.get(path, value) != value], "modes and links are right")


def options(help_text):
    """All options that a help lists, short and long."""
    column = "\n".join(re.findall(r"^ {1,8}(-\S.*?)(?:  |$)", help_text, re.M))
    return set(re.findall(r"(?:^|[ ,])(--?[a-zA-Z0-9][-a-zA-Z0-9]*)", column, re.M))


def programs(tap, to):
    for name in PROGRAMS:
        done = run(to.program(name), "--help")
        tap.ok(done.returncode == 0 and len(options(done.stdout)) > 1, f"{name} runs", done.stdout)
        if name not in SCRIPTS:
            done = run(to.program(name), "--version")
            tap.ok(done.returncode == 0 and done.stdout.startswith(f"{name} "),
                   f"{name} --version says which", done.stdout)
    done = run(to.program("capture-primary"), "--check", "-c",
               to.path("sysconfdir", "ringtap/ringtap.yaml"))
    tap.equal(done.returncode, 0, "the installed configuration is good")


def scripts(tap, to):
    """Away from the source tree and from its build, in whatever directory they are called."""
    env = {name: value for name, value in os.environ.items()
           if not name.startswith(("RINGTAP_", "PYTHON"))}
    config = to.path("sysconfdir", "ringtap/ringtap.yaml")
    done = run(to.program("ringtap-doctor"), cwd="/", env=env)
    tap.ok(f"ok   configuration: {config} is valid" in done.stdout.splitlines()[0]
           and "check broke" not in done.stdout and done.returncode in (0, 1),
           "doctor looks at the installed configuration with the installed programs", done.stdout)
    tap.none([str(path) for path in to.root.rglob("__pycache__")], "and leaves nothing behind")
    done = run(to.program("ringtap-doctor"), "-c", "/nonexistent", "--only", "brokers", env=env)
    tap.ok(done.stdout.endswith(f" -> {to.program('ringtap-doctor')} --only configuration\n"),
           "it names itself as it was called", done.stdout)
    done = run(to.program("ringtap-doctor"), "--root", to.root / "none", "--only", "configuration",
               env=env)
    tap.ok(f" -> install ringtap again: it belongs in {to.path('bindir')}" in done.stdout,
           "it speaks of no source tree", done.stdout)

    ini, made = to.root / "fastcapa.conf", to.root / "made.yaml"
    ini.write_text("[kafka-global]\nclient.id = seven\n")
    made.write_text(run(to.program("fastcapa-import"), ini, cwd="/", env=env).stdout)
    done = run(to.program("kafka-secondary"), "--check", "-c", made)
    tap.ok(done.returncode == 0 and 'client.id: "seven"' in done.stdout,
           "fastcapa-import makes a configuration", done.stdout)


def rendered(page):
    """Warnings of groff, and the text of a page with nothing broken or hyphenated."""
    env = os.environ | {"LC_ALL": "C.UTF-8", "MANWIDTH": "300", "MAN_KEEP_FORMATTING": ""}
    done = run("man", "--warnings", "--no-hyphenation", "-l", page, env=env)
    text = re.sub(r".\x08|\x1b\[[0-9;]*m", "", done.stdout)
    # What is no page, in the same stream, stands before its head.
    about = r"(man|troff|groff|<standard input>)\b.*:"
    return [line for line in text.splitlines() if re.match(about, line)], text


def man_pages(tap, to):
    for name, section in PAGES.items():
        warnings, text = rendered(to.path("mandir", f"man{section}/{name}.{section}"))
        tap.none(warnings, f"{name}({section}) renders without warnings")
        listed = options(run(to.program(name), "--help").stdout)
        tap.none([o for o in listed if not re.search(rf"^ +(-\w, )?{o}(?![-\w])", text, re.M)],
                 f"{name}({section}) has every option of --help")
        tap.ok(f"{name} - " in text and re.search(r"^SYNOPSIS\n +" + name, text, re.M),
               f"{name}({section}) says what it is and how it is called", text)
        tap.ok("Exit codes: " in text, f"{name}({section}) has exit codes", text)


def keys_page(tap, to):
    warnings, text = rendered(to.path("mandir", "man5/ringtap.yaml.5"))
    tap.none(warnings, "ringtap.yaml(5) renders without warnings")
    reference = run(to.program("capture-primary"), "--keys").stdout
    words = " ".join(text.split())
    tap.ok(len(reference) > 3000, "there is a reference of keys", reference)
    tap.none([line for line in reference.splitlines() if " ".join(line.split()) not in words],
             "ringtap.yaml(5) has every line of --keys")


def manual(tap, to):
    for name in MANUAL:
        page = to.path("mandir", f"man7/{name}.7")
        warnings, text = rendered(page)
        tap.none(warnings, f"{name}(7) renders without warnings")
        tap.ok(f"{name} - " in text and re.search(r"^SEE ALSO\n +ringtap", text, re.M),
               f"{name}(7) says what it is and where to go on", text)
    pages = sorted(to.path("mandir").rglob("*.[1578]"))
    done = run("mandoc", "-T", "lint", "-W", "warning", *pages)
    tap.ok(len(pages) == len(MANUAL) + len(PAGES) + 1 and done.returncode == 0 and not done.stdout,
           "mandoc has no warning for any page", done.stdout)


def completed(to, program, *words):
    """What TAB offers."""
    return run(pathlib.Path(__file__).with_name("complete.sh"),
               to.path("datadir", "bash-completion/completions", program), to.program(program),
               *words).stdout.split()


def completion(tap, to):
    for name in PROGRAMS:
        listed = options(run(to.program(name), "--help").stdout)
        tap.equal(set(completed(to, name, "-")), listed, f"{name} - offers every option")
    tap.equal(completed(to, "capture-primary", "--che"), ["--check"], "a beginning is completed")
    config = to.path("sysconfdir", "ringtap/ringtap.yaml")
    for option in ("-c", "--config"):
        tap.equal(completed(to, "kafka-secondary", option, str(config)[:-4]), [str(config)],
                  f"{option} takes a file")
    tap.equal(completed(to, "kafka-secondary", "--workers", ""), [], "a number is left to the user")
    tap.equal(completed(to, "ringtap-doctor", "--only", "hug"), ["hugepages", "hugepage-mount"],
              "--only takes a check")
    tap.equal(completed(to, "fastcapa-import", str(config)[:-4]), [str(config)], "FILE is one, too")
    tap.equal(completed(to, "ringtap-doctor", str(config)[:-4]), [], "where a file may stand")


def exit_codes():
    header = pathlib.Path(__file__).resolve().parents[2] / "common" / "exit_code.h"
    return {name: int(code) for name, code in
            re.findall(r"RTAP_EXIT_(\w+) = (\d+)", header.read_text())}


def units(tap, to):
    codes = exit_codes()
    directory = to.root / "units"
    directory.mkdir()
    for name in UNITS:
        (directory / f"{name}.service").write_text(to.unit(name))
    for name in UNITS:
        unit, path = to.unit(name), directory / f"{name}nic0.service"
        done = run("systemd-analyze", "verify", "--man=no", "--recursive-errors=no", path)
        tap.equal((done.returncode, done.stdout), (0, ""), f"systemd takes {name}.service")
        done = run("systemd-analyze", "security", "--offline=true", "--no-pager",
                   f"--threshold={EXPOSURE[name]}", path)
        tap.ok(done.returncode == 0, f"{name}.service is hardened", done.stdout)
        final = {int(code) for code in setting(unit, "RestartPreventExitStatus")}
        tap.ok({codes[c] for c in FINAL} <= final and final <= set(codes.values())
               and not final & {codes["NO_PRIMARY"], codes["ALREADY_RUNNING"], codes["LEFT_BEHIND"],
                                codes["DEVICE"]},
               f"{name}.service is not restarted where that cannot help", final)
        tap.ok("PrivatePIDs" not in unit and "PrivateDevices" not in unit,
               f"{name}.service sees hugepages and the other program", unit)


def logrotate(tap, to):
    installed = to.path("sysconfdir", "logrotate.d/ringtap")
    logs = to.root / "log"
    logs.mkdir(mode=0o755)
    done = run("logrotate", "-d", "-s", logs / "state", installed)
    tap.ok(done.returncode == 0 and "error" not in done.stdout,
           "logrotate takes its file", done.stdout)

    here = to.root / "logrotate.conf"
    here.write_text(installed.read_text().replace("/var/log/ringtap", str(logs)))
    here.chmod(0o644)
    statistics, calls = logs / "nic0.json", to.root / "calls"
    statistics.write_text("{}\n")
    statistics.chmod(0o640)
    systemctl = to.root / "systemctl"
    systemctl.write_text(SYSTEMCTL)
    systemctl.chmod(0o755)
    env = os.environ | {"PATH": f"{to.root}:{os.environ['PATH']}", "CALLS": str(calls)}
    done = run("logrotate", "-f", "-s", logs / "state", here, env=env)
    tap.equal((done.returncode, done.stdout), (0, ""), "logrotate rotates")
    tap.ok((logs / "nic0.json.1").read_text() == "{}\n" and statistics.stat().st_size == 0
           and statistics.stat().st_mode & 0o777 == 0o640, "with a new file like the old one",
           sorted(os.listdir(logs)))
    tap.equal(calls.read_text() if calls.exists() else "",
              "kill --kill-whom=main --signal=HUP ringtap-secondary@*\n",
              "and tells every secondary's supervisor, once")


def main():
    tap = Tap()
    with Destination() as to:
        for part in (files, programs, scripts, man_pages, keys_page, manual, completion, units,
                     logrotate):
            tap.run(part, to)
    return tap.finish()


sys.exit(main())
