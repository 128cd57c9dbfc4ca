"""The words of the pages in one language, those of the report and of shifts included."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import yaml

from flows.report.words import words
from flows.triage.shift import spoken as triage


@cache
def catalogue() -> dict[str, dict[str, str]]:
    """Return every label of the pages in every language."""
    text = files(__package__).joinpath("labels.yml").read_text("utf-8")
    labels: dict[str, dict[str, str]] = yaml.safe_load(text)
    return labels


@cache
def spoken(lang: str) -> dict[str, str]:
    """Return the labels in one language."""
    return triage(lang) | words(lang) | {label: texts[lang] for label, texts in catalogue().items()}
