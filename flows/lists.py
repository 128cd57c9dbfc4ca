"""Value lists: what `lists:` of the settings names, read whole.

    staff.txt          one entry a line, the list is called `staff`; `#` begins a comment
    lists.yml          `name: [entry, …]`, any number of lists

What entries mean stands in `detectors.sigma.valuelist`. A wrong entry costs itself; a list holds what is right of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from detectors.errors import Place, RuleError, UsageError
from detectors.sigma.document import documents
from detectors.sigma.valuelist import ValueList, entry

MAX_FILE: Final = 256 * 1024 * 1024  # bytes
_YAML = (".yml", ".yaml")
_TEXT = (".txt", ".list")


class UnreadError(RuleError):
    """A whole file that can't be read; rules that need its lists wait for them."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """Lists by name, and what is wrong in their files."""

    lists: Mapping[str, ValueList]
    faults: tuple[RuleError, ...] = ()


def read(paths: Sequence[Path]) -> Loaded:
    """Read list files and folders of them.

    Raises:
        UsageError: there is no such file or folder.
    """
    found: dict[str, ValueList] = {}
    places: dict[str, Place] = {}
    faults: list[RuleError] = []
    for path in files(paths):
        try:
            content = _content(path)
        except UnreadError as error:
            faults.append(error)
            continue
        for name, place, entries in _yaml(content, path, faults) if path.suffix in _YAML else _text(content, path):
            if name in found:
                message = f"the list `{name:.80}` is already in {places[name]}"
                faults.append(RuleError(message, place=place, fix="join them, or give it another name"))
            else:
                found[name], places[name] = _list(entries, faults), place
    return Loaded(found, tuple(faults))


def files(paths: Sequence[Path]) -> Iterator[Path]:
    """Yield the list files among the paths and below them."""
    for path in paths:
        if path.is_dir():
            yield from sorted(each for each in path.rglob("*") if each.suffix in _YAML + _TEXT and each.is_file())
        elif path.is_file():
            yield path
        else:
            raise UsageError(f"there are no lists at {path}", fix="check `lists:` in soc.yml")


def _content(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_FILE:
            raise UnreadError(f"larger than {MAX_FILE} bytes", place=Place(str(path)), fix="split the file")
        return path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadError(f"the list can't be read: {error}", place=Place(str(path)), fix="save it as UTF-8") from error


_Entries = Iterable[tuple[str, Place]]


def _text(content: str, path: Path) -> Iterator[tuple[str, Place, _Entries]]:
    """Yield the list of a text file."""
    yield path.stem, Place(str(path)), _lines(content, str(path))


def _lines(content: str, file: str) -> _Entries:
    for number, line in enumerate(content.splitlines(), 1):
        written = line.strip()
        if "#" in written:
            written = "" if written.startswith("#") else written.partition(" #")[0].rstrip()
        if written:
            yield written, Place(file, number, len(line) - len(line.lstrip()) + 1)


def _yaml(content: str, path: Path, faults: list[RuleError]) -> Iterator[tuple[str, Place, _Entries]]:
    """Yield the lists of a YAML file."""
    for document in documents(content, str(path)):
        if isinstance(document, RuleError):
            of_lists = document.message.startswith("not a mapping")
            fix = "write `name: [value, …]`; a list alone stands in a text file" if of_lists else document.fix
            faults.append(RuleError(document.message, place=document.place, fix=fix))
            continue
        for name, values in document.data.items():
            place = document.key(name)
            if not isinstance(values, list):
                faults.append(RuleError(f"`{name!s:.80}` is not a list", place=place, fix="write `name: [value, …]`"))
                continue
            texts = (document.text(name, number) for number in range(len(values)))
            yield (
                str(name),
                place,
                zip(texts, (document.place(name, number) for number in range(len(values))), strict=True),
            )


def _list(entries: _Entries, faults: list[RuleError]) -> ValueList:
    kinds: dict[str, dict[str, None]] = {"text": {}, "cidr": {}, "re": {}}
    for written, place in entries:
        try:
            kind, value = entry(written)
        except RuleError as error:
            faults.append(RuleError(error.message, place=place, fix=error.fix))
        else:
            kinds[kind][value] = None
    return ValueList(*map(tuple, kinds.values()))
