"""A source definition proposed from lines of a log: its format, its time, what its fields may mean.

Everything is a guess by names and by what stands in the columns; the file says what to look at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import polars as pl
import yaml

from connectors.definition import Definition
from connectors.formats import FORMATS
from connectors.formats.frames import ERROR
from connectors.recognise import Recognised, recognise
from connectors.times import Clock, instants
from connectors.wrappers import unwrapped
from detectors.contracts import LogSource
from detectors.errors import UsageError
from detectors.personal import personal
from detectors.schema import ECS
from flows.sourcing.outcome import Outcome, outcome

GENERAL: Final = ("ndjson", "cef", "leef", "access", "keyvalue", "syslog", "delimited")  # in the order they are tried
LINES: Final = 2_000
MOST: Final = 0.9  # of the lines must read in a format, of the values be times or addresses
ZONED: Final = r"(?:Z|UTC|GMT|[+-]\d\d:?\d\d)\s*$"
ADDRESS: Final = r"^(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:.]{2,})$"
NAMES: Final = (  # of columns whose values are likely a person's
    r"(?i)cccd|cmnd|dinh_?danh|citizen|national_?id|id_?no$|phone|mobile|sdt|dien_?thoai|full_?name|ho_?(va_?)?ten|"
    r"birth|ngay_?sinh|address_?line|dia_?chi(?!_?ip)|bhxh|bhyt|insurance|patient|benh_?nhan|pupil|hoc_?sinh|e_?mail|"
    r"passport|ho_?chieu|applicant|reporter|password|passwd"
)
ENTITIES: Final = ("user.name", "source.ip", "host.name")
YEAR: Final = 2100  # nobody was born after it


@dataclass(frozen=True, slots=True)
class Proposal:
    """What was guessed."""

    name: str
    format: str
    options: Mapping[str, Any]
    share: float  # of the lines that the format reads
    known: Recognised | None  # a definition that reads these lines already
    timestamp: str | None
    zoned: bool  # times tell their zone
    fields: Mapping[str, str]  # ECS column → own column
    outcome: Outcome | None
    columns: tuple[str, ...]
    personal: tuple[str, ...]
    zone: str

    def text(self) -> str:
        """Return the definition as YAML with remarks."""
        return "\n".join(_lines(self)) + "\n"


def propose(lines: Sequence[str], name: str, definitions: Mapping[str, Definition], zone: str) -> Proposal:
    """Propose a definition called `name`; `zone` is for times that don't tell theirs.

    Raises:
        UsageError: there are no lines.
    """
    sample = unwrapped(pl.Series([line for line in lines if line.strip()][:LINES], dtype=pl.String))
    if sample.is_empty():
        raise UsageError("there are no lines to look at", fix="give a file with some hundred lines of the log")
    format_name, options, frame = _format(sample)
    share = float(frame[ERROR].is_null().mean() or 0)  # type: ignore[arg-type] # a mean of truth values is a number
    read = frame.filter(pl.col(ERROR).is_null()).drop(ERROR)
    texts = {column.name: _texts(column) for column in read if column.null_count() < read.height}
    time = _time(texts)
    fields = _fields({each: values for each, values in texts.items() if each != time})
    return Proposal(
        name,
        format_name,
        options,
        share,
        _known(lines, definitions),
        time,
        time is not None and bool((texts[time].str.contains(ZONED) | texts[time].str.contains(r"^\d{9,}")).all()),
        fields,
        outcome({each: values for each, values in texts.items() if each not in {time, *fields.values()}}, definitions),
        tuple(texts),
        tuple(each for each, values in texts.items() if each != time and _is_personal(each, values)),
        zone,
    )


def _known(lines: Sequence[str], definitions: Mapping[str, Definition]) -> Recognised | None:
    """Return the definition that reads such lines already; that of any JSON says nothing."""
    found = recognise(lines, definitions)
    return found if found and definitions[found.source].dialect.logsource != LogSource() else None


def _format(sample: pl.Series) -> tuple[str, dict[str, Any], pl.DataFrame]:
    """Return the first format that reads most lines, its options, and what it reads."""
    for name in GENERAL:
        options = _delimited(sample) if name == "delimited" else {}
        if options is not None:
            frame = FORMATS[name](**options).parse(sample, None)
            if frame[ERROR].null_count() >= MOST * frame.height and frame.width > 2:
                return name, options, frame
    return "text", {}, FORMATS["text"]().parse(sample, None)


def _delimited(sample: pl.Series) -> dict[str, Any] | None:
    """Return the options of lines of values, whose number is the same in nearly all lines."""
    for separator in ("\t", ";", "|", ","):
        counts = sample.str.count_matches(separator, literal=True).value_counts(sort=True)
        if counts[sample.name][0] >= 2 and counts["count"][0] >= MOST * sample.len():
            return {"separator": separator, "columns": _header(sample[0], separator)}
    return None


def _header(first: str, separator: str) -> list[str]:
    """Return the names of columns: those of the first line if it looks like a head of a table, else numbers."""
    names = [part.strip().strip('"') for part in first.split(separator)]
    if all(re.fullmatch(r"[^\W\d][\w .-]*", part) for part in names) and len(set(names)) == len(names):
        return names
    return [f"column_{number}" for number in range(1, len(names) + 1)]


def _texts(column: pl.Series) -> pl.Series:
    values = column.list.first() if column.dtype == pl.List else column
    return values.cast(pl.String).drop_nulls()


def _time(texts: Mapping[str, pl.Series]) -> str | None:
    """Return the column that tells the time: of those whose values are times, the one in nearly every event."""
    found = [
        (values.len(), -place, name)
        for place, (name, values) in enumerate(texts.items())
        if values.len() and values.len() - instants(values, Clock()).null_count() >= MOST * values.len()
    ]
    return max(found)[2] if found else None


def _fields(texts: Mapping[str, pl.Series]) -> dict[str, str]:
    """Return which own column is likely to be which ECS column, by names and then by addresses in them."""
    found: dict[str, str] = {}
    for name, values in texts.items():
        ecs = _called(name)
        if ecs and ecs not in found and _possible(ecs, values):
            found[ecs] = name
    for name, values in texts.items():
        if name not in found.values() and _are(values, ADDRESS):
            spare = next((ecs for ecs in ("source.ip", "destination.ip") if ecs not in found), None)
            if spare:
                found[spare] = name
    return dict(sorted(found.items()))


def _called(name: str) -> str | None:
    short = re.sub(r"[^a-z0-9]", "", name.rpartition(".")[2].lower())
    whole = re.sub(r"[^a-z0-9]", "", name.lower())
    return name if name in ECS else _guesses().get(whole) or _guesses().get(short)


def _possible(ecs: str, values: pl.Series) -> bool:
    if ecs.endswith(".ip"):
        return _are(values, ADDRESS)
    if ECS[ecs] == pl.Int64:
        return _are(values, r"^\d+$")
    return True


def _are(values: pl.Series, pattern: str) -> bool:
    return values.len() > 0 and values.str.contains(pattern).sum() >= MOST * values.len()


def _is_personal(name: str, values: pl.Series) -> bool:
    if re.search(NAMES, name):
        return True
    seen = personal(values, YEAR)
    return any(each.rows >= MOST * values.len() for each in seen)


def _lines(made: Proposal) -> Iterator[str]:
    if made.known:
        yield f"# {made.known.source!r} reads such lines already, sure by {made.known.confidence:.0%}: use that, or"
        yield f"# write `like: {made.known.source}` instead of `format` and keep below only what differs."
    yield f"# Proposed from a sample; the format reads {made.share:.0%} of its lines. Look at all before you use it."
    yield _yaml({"name": made.name, "title": f"TODO: what {made.name} is"})
    yield _yaml({"format": made.format, **({"options": dict(made.options)} if made.options else {})})
    remark = "the times tell it" if made.zoned else "the times don't tell it: ask the owner"
    yield f"zone: {'UTC' if made.zoned else made.zone}  # {remark}"
    yield f"logsource: {{category: application, product: {made.name}}}"
    yield f"timestamp: {_scalar(made.timestamp)}" if made.timestamp else "# timestamp: TODO  # no column holds times"
    if made.format in {"text", "syslog"}:
        yield "# extract:              # patterns make columns of the message"
        yield "#   - {from: message, patterns: ['^user %{USER:user.name} from %{IP:source.ip}']}"
    yield "fields:"
    yield "  event.kind: {constant: event}"
    yield from (f"  {ecs}: {_scalar(own)}" for ecs, own in made.fields.items())
    if made.outcome:
        told = {"columns": made.outcome.column, "values": dict(made.outcome.values), "otherwise": "unknown"}
        yield f"  event.outcome: {_scalar(told)}"
    known = {*made.fields.values(), made.timestamp, made.outcome and made.outcome.column}
    left = [name for name in made.columns if name not in known]
    if left:
        yield f"# not mapped: {', '.join(left)}"
    entity = [name for name in ENTITIES if name in made.fields]
    if entity:
        yield f"entity: [{', '.join(entity)}]  # whose behaviour is learnt"
    if made.personal:
        yield f"personal: {_scalar(list(made.personal))}  # they look like personal data: become tokens"
    yield "criticality: medium     # low, medium, high, critical"
    yield "retention: 365d"
    yield "expected: {events_per_hour: 0, silence: 1d}  # TODO: what is usual"
    if made.timestamp:
        asked = [made.timestamp, *list(made.fields.values())[:2]]
        yield f"recognise: {{columns: {_scalar(asked)}, label: {made.name}}}"


def _yaml(value: object) -> str:
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=110).rstrip()


def _scalar(value: object) -> str:
    """Return a value as YAML on one line."""
    text = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10_000).strip()
    return text.removesuffix("\n...").strip()


@cache
def _guesses() -> dict[str, str]:
    """Return the ECS column by what applications call it."""
    table = yaml.safe_load(Path(__file__).with_name("guesses.yml").read_text("utf-8"))
    return {re.sub(r"[^a-z0-9]", "", name): ecs for ecs, names in table.items() for name in names}
