"""A case as one zip: the story, the findings with their evidence, what was said, STIX, and the hash of each.

`sha256sum -c SHA256SUMS` in the unpacked folder says whether anything was changed. The same case gives the same bytes.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import orjson

from connectors.nested import nest
from connectors.store import Store
from flows.triage.stix import stix
from flows.triage.story import Story

LONG_AGO: Final = (1980, 1, 1, 0, 0, 0)  # zip knows no earlier time; one of ours would change the bytes


def write_bundle(store: Store, story: Story, out: Path) -> dict[str, str]:
    """Write the zip; return the SHA-256 of each file in it, by name."""
    files = contents(store, story)
    sums = {name: hashlib.sha256(text).hexdigest() for name, text in files.items()}
    listed = "".join(f"{digest}  {name}\n" for name, digest in sums.items()).encode()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name, text in {**files, "SHA256SUMS": listed}.items():
            file.writestr(zipfile.ZipInfo(name, LONG_AGO), text, zipfile.ZIP_DEFLATED)
    return sums


def contents(store: Store, story: Story) -> dict[str, bytes]:
    """Return the files of a case by name."""
    said = [{"about": story.case.id, **asdict(one)} for one in story.history]
    said += [{"about": one.finding, **asdict(one)} for row in story.findings for one in store.history(row["event.id"])]
    told: Mapping[str, Any] = {
        **asdict(story.case),
        "title": story.title,
        "names": story.names,
        "chain": {tactic: [row["event.id"] for row in rows] for tactic, rows in story.chain},
        "successors": story.successors,
    }
    return {
        "incident.json": _pretty(told),
        "findings.ndjson": b"".join(orjson.dumps(nest(row)) + b"\n" for row in story.findings),
        "audit.ndjson": b"".join(orjson.dumps(each) + b"\n" for each in said),
        "stix.json": _pretty(stix(story)),
    }


def _pretty(value: object) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z) + b"\n"
