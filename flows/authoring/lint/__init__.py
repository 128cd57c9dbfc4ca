"""What a rule says that can't be so, or is hardly meant. Style of our own rules stands in `house`.

A check takes a document, and what fields there are, and yields remarks; `CHECKS` names them all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from detectors.sigma.document import Document
from flows.authoring.fields import Fields
from flows.authoring.lint.detection import grouping, idle_values, unknown_fields, unused_parts
from flows.authoring.lint.kinds import kinds
from flows.authoring.lint.own import own_keys, placeholders
from flows.authoring.lint.tests import tests
from flows.authoring.lint.unfinished import unfinished
from flows.authoring.lint.values import placeholder_names, references
from flows.authoring.lint.words import KEYS, days, keys, logsources, tags
from flows.authoring.remarks import Remark

CHECKS: tuple[Callable[[Document, Fields], Iterator[Remark]], ...] = (
    keys,
    kinds,
    logsources,
    days,
    tags,
    unknown_fields,
    grouping,
    unused_parts,
    idle_values,
    placeholder_names,
    references,
    own_keys,
    placeholders,
    tests,
    unfinished,
)

__all__ = ["CHECKS", "KEYS"]
