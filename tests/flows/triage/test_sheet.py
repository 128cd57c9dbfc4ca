"""A sheet writes its numbers as its language does, in the head and in tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.triage.sheet import Sheet, Table, write


@pytest.mark.parametrize(("lang", "shown"), [("en", ("12,345", "2.5")), ("vi", ("12.345", "2,5"))])
def test_numbers_of_the_head_and_of_tables_are_those_of_the_language(
    tmp_path: Path, lang: str, shown: tuple[str, str]
) -> None:
    sheet = Sheet("a week", lang, "", [("findings", 12_345)], [Table("sources", ["source", "hours"], [("dns", 2.5)])])
    write(sheet, tmp_path / "sheet.html")
    text = (tmp_path / "sheet.html").read_text("utf-8")
    assert f"<b>{shown[0]}</b>" in text
    assert f"<span>{shown[1]}</span>" in text
