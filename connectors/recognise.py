"""Tells a log's source by its content; the file's name only decides between equals."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from connectors.definition import Definition, Hints
from connectors.definitions import Definitions
from connectors.extraction import LINE, filled
from connectors.formats.frames import ERROR
from connectors.lines import records
from connectors.marks import Marks, marked
from connectors.multiline import joined
from connectors.wrappers import unwrapped
from detectors.contracts import Batch

SAMPLE: Final = 200  # lines; more change no verdict
LONGEST: Final = 100_000  # characters of a line; a longer one is no ordinary log line
ENOUGH: Final = 0.6
LABEL: Final = 0.15  # what a word in the file's name adds
ALONE: Final = 0.5  # enough where no other source fits a single line
SAME: Final = 0.005
FAILED: Final = "_failed"  # why a line could not be read
NONE: Final = pl.Series([False])
OBJECT: Final = r"^[\x{FEFF}\s]*\{"  # how a JSON object begins


@dataclass(frozen=True, slots=True, order=True)
class Recognised:
    """A source, and how sure it is (0 to 1)."""

    confidence: float
    source: str


def recognise(sample: Sequence[str], definitions: Mapping[str, Definition], label: str = "") -> Recognised | None:
    """Name the source of these lines, or None when none fits or two fit equally well."""
    lines = unwrapped(pl.Series([line[:LONGEST] for line in sample if line.strip()][:SAMPLE], dtype=pl.String))
    if lines.is_empty():
        return None
    definitions = definitions if isinstance(definitions, Definitions) else Definitions(definitions)
    if lines.str.contains(OBJECT).all():  # asking the sources of text takes much longer, and rarely tells more
        structured = [name for name in definitions if definitions.marks(name).structured]
        if best := _best(lines, definitions.only(structured), label):
            return best
    return _best(lines, definitions, label)


def recogniser(definitions: Mapping[str, Definition]) -> Callable[[list[str], str], Recognised | None]:
    """Return what names the source of a sample of lines, given with a label such as the file's name."""
    return lambda sample, label: recognise(sample, definitions, label)


def _best(lines: pl.Series, definitions: Definitions, label: str) -> Recognised | None:
    shares = {name: fits.cast(pl.Float64).mean() for name, fits in fitting(lines, definitions).items()}
    return verdict(shares, definitions, label)


def fitting(lines: pl.Series, definitions: Mapping[str, Definition]) -> dict[str, pl.Series]:
    """Say of each source which of the records that the lines are could be of it."""
    possible = _possible(lines, definitions if isinstance(definitions, Definitions) else Definitions(definitions))
    parsed = _parsed(lines, possible.values())
    return {
        name: _fit(parsed[_way(possible[name])], possible[name]) if name in possible else NONE for name in definitions
    }


def _fit(parsed: pl.DataFrame, definition: Definition) -> pl.Series:
    if _lacks(parsed, definition):
        return NONE
    return _told(_stepped(parsed, definition), definition).select(_fits(definition.recognise)).to_series()


def _lacks(parsed: pl.DataFrame, definition: Definition) -> bool:
    """Say whether no record has a column that all of the source have, and that no pattern makes."""
    made = frozenset[str]().union(*(step.columns for step in definition.steps))
    asked = definition.recognise.told - made - {LINE}
    return any(name not in parsed.columns or parsed[name].null_count() == parsed.height for name in asked)


def _possible(lines: pl.Series, definitions: Definitions) -> Definitions:
    """Leave out the sources that can't have written any of the lines: most, for a small part of the time."""
    twice, objects = (lines + "\n" + lines.str.to_lowercase()).to_list(), lines.str.contains(OBJECT).any()

    def can(seen: Marks) -> bool:
        return bool(objects) if seen.structured else marked(twice, seen)

    return definitions.only([name for name in definitions if can(definitions.marks(name))])


def verdict(shares: Mapping[str, object], definitions: Mapping[str, Definition], label: str = "") -> Recognised | None:
    """Name the source that most of the records fit, or None when too few fit any or two fit equally well."""
    scores = sorted((_score(name, share, definitions, label.lower()) for name, share in shares.items()), reverse=True)
    best = scores[0] if scores else None
    alone = not any(other.confidence for other in scores[1:])
    if best is None or best.confidence < (ALONE if alone else ENOUGH):
        return None
    if len(scores) > 1 and best.confidence - scores[1].confidence < SAME:
        return None
    return Recognised(min(best.confidence, 1.0), best.source)


def _way(definition: Definition) -> str:
    """Name the way a source is read: sources that share it are told from one parse."""
    return f"{definition.format} {sorted(definition.options.items())!r} {definition.multiline}"


def _parsed(lines: pl.Series, definitions: Iterable[Definition]) -> dict[str, pl.DataFrame]:
    ways: dict[str, list[Definition]] = {}
    for one in definitions:
        ways.setdefault(_way(one), []).append(one)
    return {way: _parse(lines, sharing) for way, sharing in ways.items()}


def _parse(lines: pl.Series, sharing: Sequence[Definition]) -> pl.DataFrame:
    """Parse the lines for the hints of all these sources."""
    columns = {name for one in sharing for name in _columns(one)} - {LINE}
    reader = sharing[0].reader
    whole = _whole(lines, sharing[0])
    return reader.parse(whole, frozenset(columns)).with_columns(whole.alias(LINE))


def _whole(lines: pl.Series, definition: Definition) -> pl.Series:
    """Return the records that the lines are."""
    batch = Batch("", "", "", records(lines, [0] * lines.len()))
    return joined(batch, definition.multiline, definition.reader).records["event.original"]


def _columns(definition: Definition) -> frozenset[str]:
    """Return the columns that tell a source, and those that its patterns make them of."""
    found = definition.recognise.told
    for step in reversed(definition.steps):
        if step.columns & found:
            found |= step.sources
    return found


def _stepped(frame: pl.DataFrame, definition: Definition) -> pl.DataFrame:
    """Add what the patterns of a source make of its columns, as far as that tells it."""
    needed = _columns(definition)
    frame = frame.rename({ERROR: FAILED})  # patterns may find what an event says of an error
    for step in definition.steps:
        if step.columns & needed:
            frame = filled(frame, step)
    return frame


def _told(frame: pl.DataFrame, definition: Definition) -> pl.DataFrame:
    """Leave out the lines that tell nothing, headings among them, unless there are no others."""
    for silent in (definition.recognise.ignore, definition.heading):
        if silent is not None:
            left = frame.filter(~pl.col(LINE).str.contains(silent))
            frame = left if left.height else frame
    return frame


def _score(name: str, share: object, definitions: Mapping[str, Definition], label: str) -> Recognised:
    if not isinstance(share, int | float) or not share:
        return Recognised(0.0, name)
    hints = definitions[name].recognise
    named = any(word in label for word in hints.label)
    return Recognised(share * hints.weight * (1 + LABEL * named), name)


def _fits(hints: Hints) -> pl.Expr:
    fits = pl.col(FAILED).is_null()
    for name in hints.columns:
        fits = fits & pl.col(name).is_not_null()
    for name, values in hints.values.items():
        fits = fits & pl.col(name).is_in(values).fill_null(value=False)
    for name, pattern in hints.matches.items():
        fits = fits & pl.col(name).str.contains(pattern).fill_null(value=False)
    return fits
