"""Rule sets of any size, made from one: a part of it, or all of it and clones with other literals.

A clone asks what its original asks, of the same fields in the same way, for texts that differ in two letters in the
middle: a needle of its own, that begins and ends as texts of real rules do. Regular expressions, networks and names of
fields stay as they are.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from flows.ruleset import rule_files

_DETECTION = re.compile(r"^detection:", re.MULTILINE)
_WORD = re.compile(r"[A-Za-z]{4,}")
_KEPT = frozenset({"re", "cidr", "fieldref", "exists", "expand"})  # modifiers whose values are no plain text
_UNASKED = frozenset({"condition", "timeframe"})


def write(rules: Sequence[Path], count: int, folder: Path) -> None:
    """Write that many rule files into a new folder."""
    originals = asking(rules)
    folder.mkdir(parents=True)
    for number in range(count):
        generation, place = divmod(number, len(originals))
        chosen = originals[place if count >= len(originals) else number * len(originals) // count]
        text = chosen.read_text("utf-8-sig")
        folder.joinpath(f"{number:06}.yml").write_text(clone(text, generation) if generation else text, "utf-8")


def asking(rules: Sequence[Path]) -> list[Path]:
    """Return the rule files that ask anything of events; others only correlate rules of these."""
    return [path for path in map(Path, rule_files(rules)) if _DETECTION.search(path.read_text("utf-8-sig"))]


def clone(text: str, generation: int) -> str:
    """Return a rule file with fresh ids and other literals; equal generations give equal files."""
    documents = [each for each in yaml.load_all(text, yaml.CSafeLoader) if "detection" in each]  # no correlations
    return yaml.dump_all(
        [_document(each, generation) for each in documents],
        Dumper=yaml.CSafeDumper,
        allow_unicode=True,
        sort_keys=False,
    )


def _document(rule: dict[str, Any], generation: int) -> dict[str, Any]:
    detection = {
        name: part if name in _UNASKED else _altered(part, generation) for name, part in rule["detection"].items()
    }
    name = uuid.uuid5(uuid.NAMESPACE_URL, f"{rule.get('id', rule['title'])} {generation}")
    return {**rule, "id": str(name), "detection": detection}


def _altered(part: object, generation: int) -> object:
    match part:
        case dict():
            return {
                key: value if _KEPT & set(str(key).split("|")[1:]) else _altered(value, generation)
                for key, value in part.items()
            }
        case list():
            return [_altered(each, generation) for each in part]
        case str():
            return _text(part, generation)
        case _:
            return part


def _text(text: str, generation: int) -> str:
    """Change the two letters in the middle of the longest word."""
    longest = max(_WORD.finditer(text), key=lambda word: len(word.group()), default=None)
    if longest is None:
        return text
    middle = (longest.start() + longest.end()) // 2
    return text[: middle - 1] + "".join(_letters(generation)) + text[middle + 1 :]


def _letters(generation: int) -> Iterator[str]:
    yield from (chr(ord("a") + figure % 26) for figure in divmod(generation, 26))
