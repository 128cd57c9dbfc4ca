"""Source definitions as Polars expressions: what fills an ECS column, and conditions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache, reduce
from operator import and_
from typing import Final

import polars as pl
from polars._typing import PolarsDataType

from connectors.grok import IPV4, IPV6
from connectors.mapping import Condition, Mapped
from detectors.schema import ECS, TIME

LISTS: Final = pl.List(pl.String)
SEPARATOR: Final = "\x1f"  # between elements of a list while it is text: no log line has it, or it is lost there
ADDRESS: Final = rf"^(?:{IPV4}|{IPV6})$"
DURATION: Final = (
    r"^(?:(?P<days>\d+)d(?:ays?)?[ ,:]*)?(?:(?P<hours>\d+)h?:)?(?:(?P<minutes>\d+)m?:)?(?P<seconds>\d+)s?$"
)
TRUE: Final = ("true", "yes", "1", "t")
FALSE: Final = ("false", "no", "0", "f")
Schema = Mapping[str, PolarsDataType]


def filled(schema: Schema, name: str, ways: Sequence[Mapped]) -> pl.Expr:
    """Return what fills an ECS column; a time is still text.

    A column of that name that patterns or tables filled counts first.
    """
    target = ECS[name]
    found = [_way(schema, way, target) for way in ways]
    if name in schema:
        found.insert(0, _there(name, schema[name], target))
    value = pl.coalesce(found) if found else pl.lit(None)
    return typed(value, name).alias(name)


def fillable(schema: Schema, name: str, ways: Sequence[Mapped]) -> bool:
    """Say whether anything can fill an ECS column: columns that are there, or a constant."""
    return name in schema or any(
        way.constant is not None
        or any(column in schema for column in way.columns)
        or (way.template is not None and all(column in schema for column in way.pieces[1::2]))
        for way in ways
    )


def typed(value: pl.Expr, name: str) -> pl.Expr:
    """Give a value the type of its ECS column; what is no IP address isn't one, a time is still text."""
    target = ECS[name]
    if name.endswith(".ip") and target == pl.String:
        value = pl.when(value.str.contains(ADDRESS)).then(value)
    if name.endswith(".mac") and target == pl.String:
        value = _hardware(value)
    if name.endswith("ip") and target == LISTS:
        value = value.list.eval(pl.element().filter(pl.element().str.contains(ADDRESS)))
        value = pl.when(value.list.len() > 0).then(value)
    if name.endswith(".mac") and target == LISTS:
        value = value.list.eval(_hardware(pl.element()))
    return value if target == TIME else value.cast(target)


def _hardware(value: pl.Expr) -> pl.Expr:
    """Write a MAC address as ECS wants it, AA-BB-CC-DD-EE-FF; what isn't one has no value."""
    digits = value.str.replace_all("[:.-]", "").str.to_uppercase()
    pairs = digits.str.replace("^(..)(..)(..)(..)(..)(..)$", "$1-$2-$3-$4-$5-$6")
    return pl.when(digits.str.contains("^[0-9A-F]{12}$")).then(pairs)


def coerced(column: pl.Expr, source: object, target: object) -> pl.Expr:
    """Turn an own column into an ECS column's type.

    Numbers may be hexadecimal; where one value is wanted, a list's first element stands for it.
    """
    if target == LISTS:
        return column if source == LISTS else pl.when(column.is_not_null()).then(pl.concat_list(column))
    text = column.list.first() if source == LISTS else column
    if target == pl.Int64:
        digits = text.str.extract("^0[xX]([0-9a-fA-F]{1,15})$").str.to_integer(base=16, strict=False)
        return pl.coalesce(text.cast(pl.Int64, strict=False), digits)
    if target == pl.Float64:
        return text.cast(pl.Float64, strict=False)
    if target == pl.Boolean:
        word = text.str.to_lowercase()
        return pl.when(word.is_in(TRUE)).then(pl.lit(value=True)).when(word.is_in(FALSE)).then(pl.lit(value=False))
    return text


def holds(schema: Schema, conditions: Mapping[str, Condition]) -> pl.Expr:
    """Return whether all conditions hold; of a column that isn't there none does but that it is missing."""
    each = [_holds(schema, name, one) for name, one in conditions.items()]
    return reduce(and_, each, pl.lit(value=True))


def _holds(schema: Schema, name: str, condition: Condition) -> pl.Expr:
    if name not in schema:
        return pl.lit(condition.exists is False or condition.differs is not None)
    column, kind = pl.col(name), schema[name]
    text = column.list.join(SEPARATOR) if kind == LISTS else column
    parts = []
    if condition.equals is not None:
        parts.append(_among(column, kind, condition.equals))
    if condition.matches is not None:
        parts.append(text.str.contains(condition.matches))
    if condition.exists is not None:
        parts.append(text.is_not_null() if condition.exists else text.is_null())
    if condition.differs is not None:
        parts.append(~_among(column, kind, condition.differs).fill_null(value=False))
    if condition.differs_from is not None and condition.differs_from in schema:
        parts.append(text.ne_missing(pl.col(condition.differs_from)))
    if condition.address is not None:
        parts.append(text.str.contains(ADDRESS) == condition.address)
    return reduce(and_, parts, pl.lit(value=True)).fill_null(value=False)


def _among(column: pl.Expr, kind: object, values: Sequence[str]) -> pl.Expr:
    if kind == LISTS:
        return pl.any_horizontal([column.list.contains(value) for value in values])
    return column.is_in(values)


def _way(schema: Schema, way: Mapped, target: object) -> pl.Expr:
    value = _found(schema, way, target)
    return pl.when(holds(schema, way.when)).then(value) if way.when else value


def _found(schema: Schema, way: Mapped, target: object) -> pl.Expr:
    kind = LISTS if target == LISTS else pl.String
    there = [name for name in way.columns if name in schema]
    if way.every:
        return _gathered(schema, there)
    found = [_passed(_own(schema, name, way, target), way, target) for name in there]
    if way.template is not None:
        found.append(_passed(template(schema, way.pieces), way, target))
    if way.constant is not None:
        found.append(_constant(way.constant, target))
    return pl.coalesce(found) if found else pl.lit(None, kind).cast(_cast(target))


def _own(schema: Schema, name: str, way: Mapped, target: object) -> pl.Expr:
    if way.join is not None and schema[name] == LISTS:
        return _nonempty(pl.col(name).list.join(way.join), pl.String, pl.String)
    return _there(name, schema[name], _step(way, target))


def _step(way: Mapped, target: object) -> object:
    """Return the type that a value has before its changes: text, where any follows."""
    changed = way.extract or way.case or way.values is not None or way.split or way.cast or way.scale is not None
    return pl.String if changed else target


def _passed(value: pl.Expr, way: Mapped, target: object) -> pl.Expr:
    """Change a value as its way says, text by text, and give it the wanted type."""
    if _step(way, target) is target and way.template is None:
        return value
    if way.extract:
        value = value.str.extract(way.extract)
    if way.case:
        value = value.str.to_lowercase() if way.case == "lower" else value.str.to_uppercase()
    if way.each and way.split:
        return coerced(_each(value.str.split(way.split), way), LISTS, target)
    if way.split and way.join is not None:
        value = value.str.replace_all(way.split, way.join, literal=True)
    if way.values is not None:
        value = _translated(value, way)
    if way.cast == "duration":
        return _duration(value)
    if way.scale is not None:
        number = value.cast(pl.Float64, strict=False) * way.scale
        return number.round().cast(_cast(target), strict=False) if target == pl.Int64 else number.cast(_cast(target))
    if target == LISTS:
        parts = value.str.split(way.split) if way.split else value.str.split(SEPARATOR)
        return parts.list.eval(pl.element().str.strip_chars().replace("", None)).list.drop_nulls()
    return coerced(value, pl.String, target)


def _each(parts: pl.Expr, way: Mapped) -> pl.Expr:
    part = pl.element().str.extract(way.each or "")
    found = parts.list.eval(part if way.values is None else _translated(part, way)).list.drop_nulls()
    return pl.when(found.list.len() > 0).then(found)


def _duration(value: pl.Expr) -> pl.Expr:
    parts = value.str.extract_groups(DURATION).struct
    number = [parts.field(name).cast(pl.Int64, strict=False).fill_null(0) for name in ("days", "hours", "minutes")]
    seconds = parts.field("seconds").cast(pl.Int64, strict=False)
    return (((number[0] * 24 + number[1]) * 60 + number[2]) * 60 + seconds) * 1_000_000_000


def _translated(value: pl.Expr, way: Mapped) -> pl.Expr:
    table = {key: flat(text) for key, text in (way.values or {}).items()}
    default = value if way.otherwise is None else pl.lit(flat(way.otherwise))
    known = value.replace_strict(table, default=None, return_dtype=pl.String)
    made = pl.when(value.is_not_null()).then(pl.coalesce(known, default))
    return pl.when(made != "").then(made) if "" in table.values() or way.otherwise == "" else made


def _gathered(schema: Schema, names: Sequence[str]) -> pl.Expr:
    each = [_there(name, schema[name], LISTS).fill_null([]) for name in names]
    values = pl.concat_list(each) if each else pl.lit([], LISTS)
    values = values.list.drop_nulls().list.unique(maintain_order=True)
    return pl.when(values.list.len() > 0).then(values)


def template(schema: Schema, pieces: Sequence[str]) -> pl.Expr:
    """Join texts and columns that stand by turns; null where a column has no value."""
    columns = {name: _there(name, schema[name], pl.String()) for name in pieces[1::2] if name in schema}
    if len(columns) < len(set(pieces[1::2])):
        return pl.lit(None, pl.String)
    return pl.concat_str([columns[piece] if place % 2 else pl.lit(piece) for place, piece in enumerate(pieces)])


def _constant(value: str | Sequence[str], target: object) -> pl.Expr:
    if target == LISTS:
        return pl.lit(pl.Series([[value] if isinstance(value, str) else list(value)], dtype=LISTS)).first()
    return coerced(pl.lit(flat(value)), pl.String, target)


def flat(value: str | Sequence[str]) -> str:
    """Return a text or a list as one text."""
    return value if isinstance(value, str) else SEPARATOR.join(value)


@lru_cache(maxsize=10_000)
def _there(name: str, kind: PolarsDataType, target: PolarsDataType) -> pl.Expr:
    """Return what a column has: the same expression wherever it is asked for."""
    return _nonempty(pl.col(name), kind, target)


def _nonempty(column: pl.Expr, kind: object, target: object) -> pl.Expr:
    """Treat "" and "-" as missing in ECS: they are what loggers write for nothing."""
    value = column if kind == LISTS else pl.when(~column.is_in(["", "-"])).then(column)
    return coerced(value, kind, target)


def _cast(target: object) -> PolarsDataType:
    return pl.String() if target == TIME else target  # type: ignore[return-value] # a data type, which mypy can't tell
