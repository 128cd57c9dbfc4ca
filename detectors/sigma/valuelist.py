r"""Lists of values that stand for a placeholder: `field|expand: '%name%'`.

admin-*                a text as rules have it: any case, `*` and `?` are wildcards, `\` makes them plain
192.0.2.0/24           a network
re:^svc-\d+$           a regular expression
text:50*2              exactly this text, whatever it looks like
cidr:2001:db8::1       a network or an address, however an event spells it
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from ipaddress import ip_interface, ip_network

from detectors.errors import RuleError
from detectors.sigma import glob
from detectors.sigma.regex import checked, program

_NETWORK = re.compile(r"(?=[^/]*[.:])[0-9a-fA-F.:]+/\d{1,3}")


@dataclass(frozen=True)
class ValueList:
    """The values of a list, by kind. Texts are Sigma's, with wildcards."""

    texts: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.texts or self.networks or self.patterns)

    @cached_property
    def digest(self) -> str:
        """Name what the list holds."""
        parts = (*self.texts, "\0networks", *self.networks, "\0patterns", *self.patterns)
        return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]


Entries = ValueList | Sequence[str]  # plain texts are Sigma's
Lists = Mapping[str, Entries]  # placeholder → its values


def value_list(entries: Entries) -> ValueList:
    """Return a list as such; in a plain sequence every entry is a text."""
    return entries if isinstance(entries, ValueList) else ValueList(tuple(entries))


def entry(written: str) -> tuple[str, str]:
    """Return kind and value of an entry; raise RuleError where it has none."""
    prefix, colon, rest = written.partition(":")
    if colon and prefix == "re":
        return "re", _narrow(checked(rest))
    if colon and prefix == "text":
        return "text", glob.quote(rest)
    if colon and prefix == "cidr":
        return "cidr", _network(rest.strip())
    if _NETWORK.fullmatch(written):
        return "cidr", _network(written)
    if not written.strip("*"):
        raise RuleError(f"`{written:.80}` fits every value", fix="name the values; `text:*` is the sign itself")
    return "text", written


def _narrow(pattern: str) -> str:
    if all(program(pattern).search(text) for text in ("", "a 1")):
        raise RuleError(f"the pattern `{pattern:.80}` fits every value", fix="say what must stand there")
    return pattern


def _network(text: str) -> str:
    try:
        return str(ip_network(text))
    except ValueError:
        try:
            fix = f"write `{ip_interface(text).network}`"
        except ValueError:
            fix = "write a network such as 10.0.0.0/8; `text:` before what is none"
        raise RuleError(f"`{text:.80}` is not a network", fix=fix) from None
