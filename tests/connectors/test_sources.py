"""What every source promises. The Kafka source keeps the same promises on a real broker: tests/integration."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from connectors.files import FileSource
from detectors.contracts import Source
from detectors.identity import event_id
from detectors.schema import RECORD

LINES = [f"Mar  9 08:00:{second:02d} web01 sshd[1]: line {second}" for second in range(50)]
Opener = Callable[[], Source]


@pytest.fixture
def opened(tmp_path: Path) -> Opener:
    """Return a function that opens the source anew, over the same fifty lines."""
    (tmp_path / "auth.log").write_text("\n".join(LINES) + "\n")

    def dead(frame: object) -> None:
        pytest.fail(f"nothing here is unreadable: {frame}")

    return lambda: FileSource([tmp_path / "auth.log"], lambda *_: None, "auth", dead=dead)


def ids(source: Source) -> list[str]:
    return [
        event_id(batch.source, batch.origin, offset, index, original)
        for batch in source.batches()
        for original, offset, index in batch.records.select(RECORD.names()).iter_rows()
    ]


def test_every_record_comes_once_in_order_with_its_place(opened: Opener) -> None:
    source = opened()
    batches = list(source.batches())
    source.close()
    assert [line for batch in batches for line in batch.records["event.original"]] == LINES
    for batch in batches:
        assert {name: batch.records.schema[name] for name in RECORD} == dict(RECORD)
        assert batch.origin
        assert batch.label
        assert batch.received is not None
        places = list(batch.records.select("log.offset", "soc.index").iter_rows())
        assert places == sorted(set(places))


def test_what_was_not_committed_comes_again_under_the_same_names(opened: Opener) -> None:
    first = opened()
    names = ids(first)
    first.close()
    again = opened()
    assert ids(again) == names
    assert len(set(names)) == len(LINES)
    again.close()


def test_commit_may_be_repeated(opened: Opener) -> None:
    source = opened()
    for _ in source.batches():
        source.commit()
        source.commit()
    source.commit()
    source.close()
