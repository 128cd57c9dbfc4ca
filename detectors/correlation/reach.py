"""How far new matches reach: the windows and groups they touch, and how far time has come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import polars as pl

from detectors.contracts import Block, Clock
from detectors.correlation.evaluate import text
from detectors.correlation.link import Linked, Member
from detectors.correlation.windows import Numbers, distinct

MANY: Final = 64  # stretches of time; more are taken as one


def slowest(times: Mapping[Clock, int]) -> dict[str, int]:
    """Return how far time has come in each source: as far as in the stream that is behind."""
    found: dict[str, int] = {}
    for (source, _), time in times.items():
        found[source] = min(time, found.get(source, time))
    return found


def touched(times: Sequence[Numbers], reach: int) -> list[tuple[int, int]]:
    """Return when windows end that hold matches at these times."""
    moments = distinct(np.sort(np.concatenate(times)))
    apart = np.flatnonzero(np.diff(moments) > reach)
    if len(apart) >= MANY:
        apart = apart[:0]
    begins, ends = moments[np.append(0, apart + 1)], moments[np.append(apart, len(moments) - 1)] + reach
    return list(zip(begins.tolist(), ends.tolist(), strict=True))


def groups(linked: Linked, blocks: Sequence[Block]) -> pl.DataFrame | None:
    """Return the groups that new matches are in; None where all groups have to be looked at."""
    count = len(linked.rule.group_by)
    if not blocks or not count or any(member.inner is not None for member in linked.members):
        return None
    keys = [
        block.matches.select(text(name).alias(str(number)) for number, name in enumerate(member.group))
        for member in linked.members
        for block in blocks
        if block.rule == member.id
    ]
    return pl.concat(keys).unique()


def only(frame: pl.DataFrame, member: Member, groups: pl.DataFrame) -> pl.DataFrame:
    """Return the matches in these groups."""
    keys = frame.select(text(name).alias(column) for name, column in zip(member.group, groups.columns, strict=True))
    if keys.width == 1:  # of a million matches a join takes ten times the room
        chosen = keys.to_series().is_in(groups.to_series().implode()).fill_null(value=False)
        return frame if chosen.all() else frame.filter(chosen)
    at = keys.with_row_index("at").join(groups, on=groups.columns, how="semi", maintain_order="left")["at"]
    return frame if at.len() == frame.height else frame[at]
