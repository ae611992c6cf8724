# SPDX-License-Identifier: BSD-3-Clause
"""Merge configurations and print them as YAML."""

import json


def merge(config, overrides):
    """Merges `overrides` into `config`, mapping by mapping; None removes a key."""
    for key, value in overrides.items():
        if value is None:
            config.pop(key, None)
        elif isinstance(value, dict) and isinstance(config.get(key), dict):
            merge(config[key], value)
        else:
            config[key] = value


def yaml_lines(config, indent=""):
    """Yields the lines of a configuration file."""
    for key, value in config.items():
        if isinstance(value, dict):
            yield f"{indent}{key}:"
            yield from yaml_lines(value, indent + "  ")
        elif isinstance(value, list):
            yield f"{indent}{key}: [{', '.join(json.dumps(item) for item in value)}]"
        else:
            yield f"{indent}{key}: {json.dumps(value)}"
