"""Rule folders to compiled rules, by way of a cache.

The cache is JSON keyed by content: a rule file that has not changed is neither parsed nor compiled again, and a changed
engine forgets everything. It holds no code and nothing secret; deleting it costs some seconds.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from typing import Any

import orjson

from detectors.errors import Place, RuleError, UsageError
from detectors.sigma.rule import Rule, decode_rule, encode_rule

MAX_FILE = 4 * 1024 * 1024  # bytes; the largest SigmaHQ rule has 250 kB
MANY = 200  # rule files: compiling more takes seconds, and somebody waits
_SUFFIXES = (".yml", ".yaml")

Lists = dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class RuleSet:
    """Rules that can run, and what is wrong with the others."""

    rules: tuple[Rule, ...]
    faults: tuple[RuleError, ...]


def own_rules() -> Path:
    """Return the folder of the rules that come with the program."""
    return Path(str(files("rules")))


def load(folders: Sequence[Path], *, store: Path | None = None, lists: Lists | None = None) -> RuleSet:
    """Read every rule file below the folders (or the files themselves).

    Each fault costs its own rule; of two rules with one id the first stays. `store` is the cache folder, None for none.
    """
    known = _Cache(store, lists or {})
    rules: dict[str, Rule] = {}
    faults: list[RuleError] = []
    for path in rule_files(folders):
        for outcome in _read(path, known):
            if isinstance(outcome, RuleError):
                faults.append(outcome)
            elif outcome.meta.id in rules:
                other = rules[outcome.meta.id].place
                faults.append(
                    RuleError(
                        f"the id {outcome.meta.id} is taken by {other}", place=outcome.place, fix="give it a fresh UUID"
                    )
                )
            else:
                rules[outcome.meta.id] = outcome
    known.save()
    return RuleSet(tuple(rules.values()), tuple(faults))


def rule_files(folders: Iterable[Path]) -> Iterator[Path]:
    """Yield the YAML files below the folders in a fixed order."""
    for folder in folders:
        if folder.is_file():
            yield folder
        elif folder.is_dir():
            found = (Path(root, name) for root, _, names in os.walk(folder) for name in names)
            yield from sorted(path for path in found if path.suffix in _SUFFIXES)
        else:
            raise UsageError(f"no rule file or folder at {folder}", fix="check --rules or `rules:` in soc.yml")


def _read(path: Path, known: _Cache) -> Iterator[Rule | RuleError]:
    name = str(path)
    try:
        if path.stat().st_size > MAX_FILE:
            yield RuleError(f"larger than {MAX_FILE} bytes", place=Place(name), fix="split the file")
            return
        content = path.read_bytes()
        text = content.decode("utf-8-sig")
    except OSError as error:
        yield RuleError(f"can't be read: {error.strerror}", place=Place(name))
        return
    except UnicodeDecodeError as error:
        yield RuleError(f"not UTF-8 at byte {error.start}", place=Place(name), fix="save it as UTF-8")
        return
    yield from known.outcomes(content, text, name)


class _Cache:
    """Compiled outcomes by SHA-256 of a file's content."""

    def __init__(self, folder: Path | None, lists: Lists) -> None:
        key = hashlib.sha256(_compiler_version() + orjson.dumps(lists, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]
        self._path = folder / f"rules-{key}.json" if folder else None
        self._lists = lists
        self._known: dict[str, list[dict[str, Any]]] = self._open()
        self._compiled = 0

    def outcomes(self, content: bytes, text: str, name: str) -> Iterator[Rule | RuleError]:
        digest = hashlib.sha256(content).hexdigest()
        if digest not in self._known:
            parse = import_module("detectors.sigma.parse")  # pySigma takes half a second to import: not on a warm start
            self._known[digest] = [_encode(outcome) for outcome in parse.rules(text, name, self._lists)]
            self._compiled += 1
            if self._compiled == MANY:
                print("compiling rules; the next start finds them compiled …", file=sys.stderr)
        for data in self._known[digest]:
            yield _decode(data, name)

    def save(self) -> None:
        if self._path is None or not self._compiled:
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            scratch = self._path.with_suffix(f".{os.getpid()}")
            scratch.write_bytes(orjson.dumps(self._known))
            scratch.replace(self._path)
        except OSError:
            return  # a cache that can't be written costs time, nothing else

    def _open(self) -> dict[str, list[dict[str, Any]]]:
        try:
            known = orjson.loads(self._path.read_bytes()) if self._path else {}
        except (OSError, orjson.JSONDecodeError):
            return {}
        return known if isinstance(known, dict) else {}


def _encode(outcome: Rule | RuleError) -> dict[str, Any]:
    if isinstance(outcome, Rule):
        return encode_rule(outcome)
    place = outcome.place or Place("")
    return {"fault": outcome.message, "line": place.line, "column": place.column, "fix": outcome.fix}


def _decode(data: dict[str, Any], name: str) -> Rule | RuleError:
    if "fault" in data:
        return RuleError(data["fault"], place=Place(name, data["line"], data["column"]), fix=data["fix"])
    rule = decode_rule(data)
    return rule if rule.place.file == name else replace(rule, place=replace(rule.place, file=name))


@cache
def _compiler_version() -> bytes:
    """Return a digest of the code that makes rules, so that no rule of an older compiler is ever run."""
    modules = (each for each in files("detectors.sigma").iterdir() if each.name.endswith(".py"))
    return hashlib.sha256(b"".join(each.read_bytes() for each in sorted(modules, key=lambda each: each.name))).digest()
