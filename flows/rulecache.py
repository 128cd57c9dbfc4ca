"""Compiled rules on disk: a rule file that hasn't changed is neither parsed nor compiled again, nor even read.

What a file compiles to is known by its content (SHA-256), and its content by its size, times and inode. Where any of
these is not what it was when the file was read, or the file was written within `SETTLED` of that, its content decides.
A changed compiler forgets everything; a changed value list, the files that use it.

What is kept is a line of JSON that says what is known, and the bodies of the rules, each decoded when it is first asked
for. It holds no code and nothing secret; deleting it, or damaging it, costs some seconds.
"""

from __future__ import annotations

import hashlib
import os
import sys
import time
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import orjson

from connectors.kept import Kept
from detectors.contracts import LogSource
from detectors.correlation.rule import Correlation, decode_correlation, encode_correlation
from detectors.errors import Place, RuleError
from detectors.meta import Meta
from detectors.sigma.filters import Filter
from detectors.sigma.predicates import decode
from detectors.sigma.rule import Rule, encode_rule
from detectors.sigma.valuelist import Entries, Lists, value_list

MAX_FILE: Final = 4 * 1024 * 1024  # bytes; the largest SigmaHQ rule has 250 kB
SETTLED: Final = 2_000_000_000  # nanoseconds; no file system in use keeps times more coarsely
MANY: Final = 200  # rule files: compiling more takes seconds, and somebody waits

Outcome = dict[str, Any]  # what is stored of a rule or a fault
Stamp = list[int]  # what of a file changes whenever its content does

_logsource = cache(LogSource)  # rules have few


class StoredRule(Rule):
    """A rule whose words and condition are decoded when they are first asked for: most rules never match.

    Python calls `__getattr__` for slots that nothing was put in yet.
    """

    __slots__ = ("_bodies", "_stored", "id")

    id: str

    @classmethod
    def of(cls, stored: Outcome, place: Place, bodies: bytearray) -> StoredRule:
        """Return the rule of what is stored, its words and condition still to be decoded."""
        rule, put = object.__new__(cls), object.__setattr__  # the class is frozen
        put(rule, "id", stored["id"])
        put(rule, "logsource", _logsource(*stored["logsource"]))
        put(rule, "place", place)
        put(rule, "semantics", stored["semantics"])
        put(rule, "waits_for", tuple(stored["waits_for"]))
        put(rule, "name", stored["name"])
        put(rule, "_stored", stored)
        put(rule, "_bodies", bodies)
        return rule

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - Meta or Node
        if name not in ("meta", "condition"):
            raise AttributeError(name)
        begin, end = self._stored[name]
        body = orjson.loads(self._bodies[begin:end])
        value = decode(body) if name == "condition" else Meta.restored(body)
        object.__setattr__(self, name, value)
        return value


class RuleCache:
    """The outcomes of rule files, compiled or remembered; kept in `folder`, if there is one."""

    def __init__(self, folder: Path | None, lists: Lists) -> None:
        self._kept = Kept(folder, "rules", _compiler())
        self._lists = Watched(lists)
        self._here = str(Path.cwd())
        self._files: dict[str, list[Any]] = {}  # absolute path → stamp (None: not to be trusted), digest of the content
        self._contents: dict[str, list[Outcome]] = {}  # digest → what the content compiles to
        self._uses: dict[str, dict[str, str]] = {}  # digest → the lists that the content asks for, as they were then
        self._bodies = bytearray()
        self._compiled, self._changed = 0, False
        self._open()

    def outcomes(self, path: str) -> Iterator[StoredRule | Correlation | Filter | RuleError]:
        """Yield the rules, correlations and filters of a file, and the faults of what is none."""
        try:
            digest = self._digest(path)
        except OSError as error:
            yield RuleError(f"can't be read: {error.strerror}", place=Place(path))
            return
        except RuleError as fault:
            yield fault
            return
        for stored in self._contents[digest]:
            place = Place(path, *stored["place"])
            if "meta" in stored:
                yield StoredRule.of(stored, place, self._bodies)
            elif "fault" in stored:
                yield RuleError(stored["fault"], place=place, fix=stored["fix"])
            elif "filter" in stored:
                yield Filter.decode(stored, place)
            else:
                yield decode_correlation(stored["correlation"], path)

    def save(self) -> None:
        """Write what is new, and leave out what no file holds any more."""
        if self._changed:
            self._kept.write(self._packed())

    def _digest(self, path: str) -> str:
        """Return the digest of a file's content; what it compiles to is known from here on."""
        name, now = os.path.join(self._here, path), time.time_ns()  # noqa: PTH118 - Path takes too long for thousands
        name = name.encode(errors="replace").decode()  # a file's name may be any bytes
        stamp = _stamp(os.stat(path))  # noqa: PTH116 - as above
        known = self._files.get(name)
        if known is not None and known[0] == stamp and self._current(known[1]):
            return str(known[1])
        content = _content(path, stamp[0])
        digest = hashlib.sha256(content).hexdigest()
        if digest not in self._contents or not self._current(digest):
            self._lists.asked.clear()
            self._contents[digest] = self._compile(_text(content, path), path)
            self._uses[digest] = dict(self._lists.asked)
            self._changed = True
        settled = len(content) == stamp[0] and max(stamp[1:3]) + SETTLED < now
        self._files[name] = [stamp if settled else None, digest]
        self._changed |= self._files[name] != known
        return digest

    def _current(self, digest: str) -> bool:
        """Say whether the lists that a content asks for hold what they held when it was compiled."""
        uses = self._uses.get(digest)
        return not uses or all(self._lists.digest(name) == held for name, held in uses.items())

    def _compile(self, text: str, path: str) -> list[Outcome]:
        content = import_module("detectors.content")  # pySigma takes half a second to import: not on a warm start
        self._compiled += 1
        if self._compiled == MANY:
            print("compiling rules; the next start finds them compiled …", file=sys.stderr)
        return [self._store(outcome) for outcome in content.contents(text, path, self._lists)]

    def _store(self, outcome: Rule | Correlation | Filter | RuleError) -> Outcome:
        if isinstance(outcome, RuleError):
            place = outcome.place or Place("")
            return {"fault": outcome.message, "place": [place.line, place.column], "fix": outcome.fix}
        if isinstance(outcome, Filter):
            return outcome.encode()
        if isinstance(outcome, Correlation):
            return {"correlation": encode_correlation(outcome), "place": [outcome.place.line, outcome.place.column]}
        data = encode_rule(outcome)
        bodies = {part: _append(self._bodies, orjson.dumps(data[part])) for part in ("meta", "condition")}
        return {**data, **bodies, "id": outcome.meta.id, "place": data["place"][1:]}

    def _open(self) -> None:
        """Read what is kept."""
        head, _, bodies = (self._kept.read() or b"").partition(b"\n")
        if head:
            self._files, self._contents, self._uses = orjson.loads(head)
            self._bodies += bodies

    def _packed(self) -> bytes:
        known = {name: known for name, known in self._files.items() if os.path.exists(name)}  # noqa: PTH110 - as above
        bodies, contents = bytearray(), {}
        for _, digest in known.values():
            contents[digest] = [_moved(stored, self._bodies, bodies) for stored in self._contents[digest]]
        uses = {digest: asked for digest, asked in self._uses.items() if asked and digest in contents}
        return orjson.dumps([known, contents, uses], option=orjson.OPT_APPEND_NEWLINE) + bodies


class Watched(Mapping[str, Entries]):
    """Value lists that note which of them are asked for."""

    def __init__(self, lists: Lists) -> None:
        self._lists = lists
        self.asked: dict[str, str] = {}  # name → digest; "" where there is no such list

    def __getitem__(self, name: str) -> Entries:
        self.asked[name] = self.digest(name)
        return self._lists[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._lists)

    def __len__(self) -> int:
        return len(self._lists)

    def digest(self, name: str) -> str:
        """Name what a list holds; "" where there is no such list."""
        return value_list(self._lists[name]).digest if name in self._lists else ""


def _stamp(status: os.stat_result) -> Stamp:
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]


def _content(path: str, size: int) -> bytes:
    """Read a file of that size; no more than a byte of what it has grown by since."""
    if size > MAX_FILE:
        raise RuleError(f"larger than {MAX_FILE} bytes", place=Place(path), fix="split the file")
    with Path(path).open("rb") as file:
        return file.read(size + 1)


def _text(content: bytes, path: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RuleError(f"not UTF-8 at byte {error.start}", place=Place(path), fix="save it as UTF-8") from None


def _moved(stored: Outcome, old: bytearray, new: bytearray) -> Outcome:
    """Copy what a rule has among the old bodies to the new ones."""
    if "meta" not in stored:
        return stored
    return {**stored, **{part: _append(new, old[slice(*stored[part])]) for part in ("meta", "condition")}}


def _append(bodies: bytearray, body: bytes | bytearray) -> list[int]:
    """Add a body, and return where it begins and ends."""
    bodies += body
    return [len(bodies) - len(body), len(bodies)]


@cache
def _compiler() -> bytes:
    """Return a digest of what makes rules, so that no rule of an older compiler is ever run."""
    made = hashlib.sha256(" ".join(map(version, ("pysigma", "google-re2", "pyyaml"))).encode())
    made.update(Path(__file__).read_bytes())
    for name in ("meta.py", "content.py", "telling.py", "questions.py", "questions.yml"):
        made.update(files("detectors").joinpath(name).read_bytes())
    for package in ("detectors.correlation", "detectors.sigma"):
        for module in sorted(files(package).iterdir(), key=lambda each: each.name):
            if module.name.endswith(".py"):
                made.update(module.read_bytes())
    return made.digest()
