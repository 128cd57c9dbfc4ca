"""Personal data from two collectors: tokens before Kafka through kill, rotation and Kafka away; a reveal for two."""

from __future__ import annotations

import io
import re
import shutil
import signal
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from connectors.kafka import Connection, setup
from connectors.privacy import vault
from flows.cli import main
from tests.integration.servers import Kafka
from tests.integration.test_collect import Site, events, read, wait_for

pytestmark = pytest.mark.integration
WORDS = {"lan": "correct horse battery", "minh": "staple battery horse"}
TOKEN = re.compile(r"pd_k\d_[a-z2-7]{26}")
NUMBERS = [f"09123456{n:02d}" for n in range(50)]


class Said(NamedTuple):
    """How a command ended, and what it said."""

    returncode: int
    stdout: str
    stderr: str


class Protected(Site):
    """A collector whose source has phone numbers, and which makes tokens of them."""

    def __init__(self, folder: Path, kafka: Kafka) -> None:
        folder.mkdir()
        super().__init__(folder, kafka)
        self.privacy = folder / "privacy"
        path = folder / "soc.yml"
        settings = yaml.safe_load(path.read_text()) | {"privacy": {"protect": True, "folder": str(self.privacy)}}
        path.write_text(yaml.safe_dump(settings))
        (folder / "sources" / "own.yml").write_text(
            f"name: {self.source}\nlike: json\ntitle: Test\npersonal: [phone]\n"
        )
        setup(Connection((kafka.address,)), [self.source], partitions=2, replication=1)

    def soc(self, *arguments: str, words: tuple[str, ...] = ()) -> Said:
        """Run a command of this site; passphrases are lines of its standard input."""
        config = ["--config", str(self.folder / "soc.yml")]
        out, err = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
            patch.setattr("sys.stdin", io.StringIO("".join(f"{each}\n" for each in words)))
            patch.setattr(vault, "COST", 1 << 4)
            code = main([arguments[0], *config, *arguments[1:]])
        return Said(code, out.getvalue(), err.getvalue())

    def call(self, name: str) -> None:
        """Write a line for each number, and wait until the collector has them on its disk or in Kafka."""
        lines = [f'{{"n":"{name}","phone":"{number}","note":"call {number}"}}\n' for number in NUMBERS]
        self.sent += lines
        with self.log.open("a") as log:
            log.writelines(lines)

    def kept(self) -> bytes:
        """Return all that the collector wrote itself."""
        files = [path for path in self.folder.rglob("*") if path.is_file() and path != self.log]
        return b"".join(path.read_bytes() for path in files)


@pytest.fixture
def sites(tmp_path: Path, kafka_server: Kafka) -> Iterator[tuple[Protected, Protected]]:
    both = Protected(tmp_path / "east", kafka_server), Protected(tmp_path / "west", kafka_server)
    yield both
    for site in both:
        site.end(signal.SIGKILL)


def test_tokens_are_made_before_kafka_and_two_people_reveal_them(sites: tuple[Protected, Protected]) -> None:
    east, west = sites
    made = east.soc("privacy", "setup", "--custodian", "lan", "--custodian", "minh", words=(*WORDS.values(),))
    assert "collectors need keys.json only" in made.stdout, made.stderr
    west.privacy.mkdir(mode=0o700)
    shutil.copy2(east.privacy / "keys.json", west.privacy)
    for site in sites:
        site.start()
        site.call("before")
    wait_for(lambda: all("50 since" in site.said() for site in sites), east.said)
    east.kafka.stop()
    try:
        east.call("away")
        wait_for(lambda: east.spooled().count('\\"away\\"') == 50, east.said)
        east.end(signal.SIGKILL)  # vault and spool are all that is left of them
        turned = east.soc("privacy", "rotate")
        assert "tokens are made with k2 from now on" in turned.stdout
        east.start()
        east.call("rotated")
        wait_for(lambda: east.spooled().count('\\"rotated\\"') == 50, east.said)
    finally:
        east.kafka.start()
    wait_for(lambda: east.said().rstrip().endswith("Kafka has all of them"), east.said)
    west.end(signal.SIGTERM)
    shutil.copy2(east.privacy / "keys.json", west.privacy)  # the new key, on its way to every collector
    west.start()
    west.call("rotated")
    wait_for(lambda: west.said().rstrip().endswith("50 since start, Kafka has all of them"), west.said)
    for site in sites:
        site.end(signal.SIGTERM)
        assert not [number for number in NUMBERS if number.encode() in site.kept()]
    lines = {site: sorted(events(read(site.kafka, site.source)).values()) for site in sites}
    assert [len(lines[site]) for site in sites] == [150, 100]
    tokens = {site: {which: _tokens(lines[site], which) for which in ("before", "rotated")} for site in sites}
    assert tokens[east] == tokens[west]  # joinable from one collector to the other
    assert {key[:5] for key in tokens[east]["before"]} == {"pd_k1"}
    assert {key[:5] for key in tokens[east]["rotated"]} == {"pd_k2"}
    assert _tokens(lines[east], "away") == tokens[east]["before"]
    _reveal(east, west, min(tokens[west]["rotated"]))


def _tokens(lines: list[str], which: str) -> set[str]:
    """Return the tokens of lines; each stands twice in its line."""
    found = [TOKEN.findall(line) for line in lines if f'"{which}"' in line]
    assert all(len(each) == 2 and each[0] == each[1] for each in found)
    return {each[0] for each in found}


def _reveal(east: Protected, west: Protected, token: str) -> None:
    """The vault of the west is brought to where reveals run; one person alone learns nothing, two do."""
    (east.privacy / "vault").unlink()
    unknown = east.soc("reveal", token, "--person", "lan", "--second", "minh", "--reason", "VV-2026-17",
                       words=(*WORDS.values(),))  # fmt: skip
    assert "the vault doesn't know this token; look for it in the vault of the collector" in unknown.stderr
    (east.privacy / "vault").write_bytes((west.privacy / "vault").read_bytes())
    alone = east.soc("reveal", token, "--person", "lan", "--second", "lan", "--reason", "VV-2026-17")
    assert (alone.returncode, alone.stdout) == (2, "")
    assert "two different people must confirm" in alone.stderr
    wrong = east.soc("reveal", token, "--person", "lan", "--second", "minh", "--reason", "VV-2026-17",
                     words=(WORDS["lan"], "a wrong passphrase"))  # fmt: skip
    assert wrong.stdout == ""
    right = east.soc("reveal", token, "--person", "lan", "--second", "minh", "--reason", "VV-2026-17",
                     words=(*WORDS.values(),))  # fmt: skip
    assert right.stdout.strip() in NUMBERS, right.stderr
    records = (east.privacy / "audit.ndjson").read_text()
    assert re.findall(r'"action":"([a-z ]+)"', records) == [
        "asked", "not found", "asked", "refused", "asked", "revealed"
    ]  # fmt: skip
    assert right.stdout.strip() not in records
    assert "6 records, whole" in east.soc("reveal", "--verify").stdout
    (east.privacy / "audit.ndjson").write_text(records.replace("VV-2026-17", "VV-2026-18", 1))
    changed = east.soc("reveal", "--verify")
    assert changed.returncode != 0
    assert "audit.ndjson:" in changed.stderr
