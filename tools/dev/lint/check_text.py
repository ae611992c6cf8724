# SPDX-License-Identifier: BSD-3-Clause
"""Check text: comments at most 100 columns wide, and words to do without.

    check_text.py [--any-words REGEX] [--any-width REGEX] FILE...

Prints each problem as `file:line: text`. A file whose path begins with a REGEX is spared a check.
"""

import argparse
import pathlib
import re

WIDTH, TAB = 100, 8
WORDS = pathlib.Path(__file__).resolve().with_name("words.txt")
# What comes before a comment: no mark that begins one, and strings and characters as a whole.
STRING = r"""|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')*"""
C_CODE = re.compile(r"""(?:[^"'/]|/(?!/)""" + STRING)
HASH_CODE = re.compile(r"""(?:[^"'#]|(?<=\S)#""" + STRING)


def read_words():
    lines = [line for line in WORDS.read_text().splitlines() if line and not line.startswith("#")]
    return [(re.compile(word), instead) for word, instead in (line.split("\t") for line in lines)]


def code_of(name, text):
    """What comes before a comment in the language of a file; None if its comments are not known."""
    if name.endswith((".c", ".h", ".def", ".java")):
        return C_CODE
    if name.endswith((".py", ".sh", ".yaml", ".yml", "meson.build")) or text.startswith("#!"):
        return HASH_CODE
    return None


def wide_comment(line, code):
    """Why the comment of a line is too wide; None if it is not, or if there is none."""
    width = len(line.expandtabs(TAB))
    if width > WIDTH and line[code.match(line).end():].startswith(("//", "#")):
        return f"a comment of {width} columns, {WIDTH} are allowed"
    return None


def forbidden(line, words):
    for word, instead in words:
        for match in word.finditer(line):
            yield f"'{match[0]}': say {instead}"


def main():
    parser = argparse.ArgumentParser()
    for name in ("--any-words", "--any-width"):
        parser.add_argument(name, type=re.compile, default=re.compile(r"(?!)"))
    parser.add_argument("files", nargs="+")
    options = parser.parse_args()
    words = read_words()
    for name in options.files:
        has_words = not options.any_words.match(name)
        text = pathlib.Path(name).read_text(errors="replace")
        code = None if options.any_width.match(name) else code_of(name, text)
        for number, line in enumerate(text.splitlines(), 1):
            problems = list(forbidden(line, words)) if has_words else []
            if code and (wide := wide_comment(line, code)):
                problems.append(wide)
            for problem in problems:
                print(f"{name}:{number}: {problem}")


if __name__ == "__main__":
    main()
