"""Secrets: typed unseen at a terminal, else a line of standard input each."""

from __future__ import annotations

import getpass
import sys

from detectors.errors import UsageError


def passphrase(name: str) -> str:
    """Ask somebody for a passphrase."""
    return secret(f"passphrase of {name}")


def secret(what: str) -> str:
    """Ask for something that nobody should see."""
    if sys.stdin.isatty():
        return getpass.getpass(f"{what}: ")
    line = sys.stdin.readline()
    if not line:
        raise UsageError(f"no {what}", fix="type it, or give it as a line of standard input")
    return line.rstrip("\r\n")
