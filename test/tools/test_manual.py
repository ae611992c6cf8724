#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Compare the manual with the tree: quoted messages, counters, pages, paths. Prints TAP."""

import os
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

from tap import Tap

TREE = pathlib.Path(__file__).resolve().parents[2]
STATS_TOOL = pathlib.Path(os.environ["RINGTAP_BUILD"]) / "stats-tool" / "stats-tool"
PAGES = sorted((TREE / "config" / "man").glob("*.scd"))
SOURCES = ("capture-primary", "common", "kafka-secondary", "stats-tool", "tools")
USAGE_ERROR = re.compile(r"-|.*see --help$")  # names the argument and what is wrong with it
# Errors and warnings that the page of troubleshooting does not repeat, and why.
UNEXPLAINED = {
    ".../counters: ...": "the kernel's reason is all there is to know",
    "...: ...: ...; make ": "names its remedy; it is split by a macro",
    '...: instance: "..." is not allowed': "names the file and the key",
    "...; packets wait in the rings, retrying": "begins with a cause that has its own entry",
    "...: left out of the list: not a regular file": "explains itself",
    "cannot read random numbers: ...": "the kernel's reason is all there is to know",
    "instance ...: ...": "the kernel's reason is all there is to know",
    "out of memory": "explains itself",
    "port ...: ... ... packets since the last such line: ...": "the tuning page has each counter",
    "run-as: ...: ...": "names the key and the kernel's reason",
    "the process that validates the properties under `kafka` was killed by signal ... (...); look"
    " for the reason in the kernel's log (dmesg), then start again": "names its remedy",
}
# Pages that help2man makes, and pages of other software.
GENERATED = {"capture-primary(8)", "kafka-secondary(8)", "stats-tool(1)", "kafka-to-pcap(1)",
             "ringtap-doctor(8)", "fastcapa-import(1)", "ringtap.yaml(5)"}
FOREIGN = {"pcap-filter(7)", "timedatectl(1)", "top(1)"}


def page_text(name):
    return (TREE / "config" / "man" / f"{name}.7.scd").read_text()


def literals(text):
    """Strings of a C source: adjacent ones joined, `...` for each conversion."""
    text = re.sub(r"^\s*//.*$", "", text, flags=re.M)
    text = re.sub(r"'\\?\"'", "", text)  # a character
    text = re.sub(r'(?<!\\)"\s*(PRI\w+\s*)?"', "", text)  # "%" PRIu64 " x" becomes "% x"
    for string in re.findall(r'"((?:[^"\\\n]|\\.)*)"', text):
        yield re.sub(r"%[-+#0-9.*]*(?:z|j|ll?|h)?[diuxXscpf]?", "...", string.replace('\\"', '"'))


def quoted(page):
    """The headings of a page that quote a message: bold, at the left margin."""
    return [re.sub(r"\\(.)", r"\1", text)
            for text in re.findall(r"^\*(.+)\*(?:\+\+)?$", page, re.M)]


def is_said(message, strings):
    """Whether one string has the parts of a message, which `...` separates, in their order."""
    parts = "[^\n]*?".join(re.escape(part) for part in message.split("..."))
    return any(re.search(parts, string) for string in strings)


def messages(tap):
    strings = [string for top in SOURCES for path in (TREE / top).rglob("*.[ch]")
               for string in literals(path.read_text())]
    headings = quoted(page_text("ringtap-troubleshooting"))
    tap.ok(len(headings) > 100, "the page of troubleshooting quotes messages", len(headings))
    tap.none([m for m in headings if len(m.replace(".", "").strip()) < 5],
             "each is long enough to search for")
    tap.none([m for m in headings if not is_said(m, strings)], "each is a message of a program")
    tap.none(sorted({m for m in headings if headings.count(m) > 1}), "each is explained once")
    tap.ok(not is_said("a message that no program has", strings), "any other would be noticed")


def logged(path):
    """The messages of ERR and WARNING in a C source, and those of programs that have no log."""
    text = re.sub(r'\bLOG\(\s*(?:ERR|WARNING),\s*"', '"LOGGED ', path.read_text())
    for string in literals(text):
        said = re.match(r"(?:LOGGED |stats-tool: |kafka-to-pcap: )(.+)", string)
        if said and re.search(r"[a-z]{3}", said[1].replace("...", "")):  # no mere "...: ..."
            yield said[1].removesuffix("\\n")


def unexplained(tap):
    said = {m for top in SOURCES for path in (TREE / top).rglob("*.[ch]") for m in logged(path)}
    headings = quoted(page_text("ringtap-troubleshooting"))
    silent = {m for m in said
              if not USAGE_ERROR.match(m) and not any(is_said(h, [m]) for h in headings)}
    tap.ok(len(said) > 100, "programs report errors and warnings", len(said))
    tap.none(sorted(silent - UNEXPLAINED.keys()), "each is explained, or needs no explanation")
    tap.none(sorted(UNEXPLAINED.keys() - silent), "each that needs none is there, unexplained")


def references(tap):
    ours = {re.sub(r"\.(\d)\.scd$", r"(\1)", page.name) for page in PAGES}
    tap.ok("ringtap(7)" in ours, "there are pages", ours)
    for page in PAGES:
        text = page.read_text()
        named = {"".join(name) for name in re.findall(r"\*([\w.-]+)\*(\(\d\))", text)}
        tap.none(sorted(named - ours - GENERATED - FOREIGN), f"{page.name} refers to real pages")
        tap.ok(re.search(r"^# SEE ALSO\n\n\*ringtap", text, re.M), f"{page.name} refers to others")
    readme = (TREE / "README.md").read_text()
    see_also = (TREE / "tools" / "man" / "see-also.h2m").read_text().replace(" (", "(")
    tap.none(sorted(page for page in ours if page not in readme), "the README names every page")
    tap.none(sorted(page for page in ours if page not in see_also), "so do pages of programs")


def paths(tap):
    texts = [page.read_text() for page in PAGES]
    texts += [(TREE / name).read_text() for name in ("README.md", "test/README.md")]
    named = {path.replace("PAGE", "ringtap") for text in texts
             for path in re.findall(r"(?<![\w/.])(?:tools|config|test)/[\w./-]*\w", text)}
    tap.ok(len(named) > 10, "pages name files of the tree", named)
    tap.none(sorted(path for path in named if not (TREE / path).exists()), "which are there")


def counters(tap):
    """Headings of the tuning page underline names of counters."""
    explained = subprocess.run([STATS_TOOL, "--explain"], text=True, stdout=subprocess.PIPE,
                               check=True).stdout
    known = set(re.findall(r"^  (\w+) +\w", explained, re.M))
    headings = re.findall(r"^_.*", page_text("ringtap-tuning"), re.M)
    used = {name for line in headings for name in re.findall(r"(?<!\w)_(\w+?)_(?!\w)", line)}
    tap.ok(len(used) > 10, "the tuning page names counters", used)
    tap.none(sorted(used - known), "which stats-tool --explain explains, too")


def main():
    tap = Tap()
    for part in (messages, unexplained, references, paths, counters):
        tap.run(part)
    return tap.finish()


sys.exit(main())
