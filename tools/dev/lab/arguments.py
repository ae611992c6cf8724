# SPDX-License-Identifier: BSD-3-Clause
"""Parse the options of a command, each in one place."""

import argparse
import re
import sys


class Arguments(argparse.ArgumentParser):
    """A parser that prints `text` for --help; an error is one line on standard error, exit 2."""

    def __init__(self, name, text):
        super().__init__(prog=name, allow_abbrev=False)
        self._text = text

    def format_help(self):
        return self._text

    def error(self, message):
        message = re.sub(r"^argument ([^:]+): (?=takes)", r"\1 ",
                         message.replace("expected one argument", "takes a value"))
        print(f"{self.prog}: {message.removeprefix('argument ')}; see --help", file=sys.stderr)
        sys.exit(2)

    def parse(self, commands=()):
        """Returns the options and the words among them that are in `commands`."""
        options, words = self.parse_known_args()
        for word in words:
            if word not in commands:
                self.error(f"unknown argument '{word}'")
        return options, words


def positive(digits):
    """Type of an option: a number from 1 on, of so many digits at most."""
    def parse(text):
        if not re.fullmatch(rf"[1-9][0-9]{{0,{digits - 1}}}", text):
            raise argparse.ArgumentTypeError("takes a number from 1 on")
        return int(text)
    return parse


def number(low, high, kind=float):
    """Type of an option: a number from `low` to `high`."""
    def parse(text):
        try:
            value = kind(text)
        except ValueError:
            value = low - 1
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"'{text}' is not a number from {low:g} to {high:g}")
        return value
    return parse
