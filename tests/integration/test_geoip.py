"""GeoIP on MaxMind's own test files; they come with the source distribution of their reader, downloaded once."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import orjson
import polars as pl
import pytest

from connectors.enrichment.geo import FIELDS, Geo
from flows.cli import main
from tests.integration.artifacts import CACHE

VERSION = "3.2.0"
FOLDER = CACHE.parent / f"maxminddb-{VERSION}"
FILES = ("GeoLite2-City-Test.mmdb", "GeoLite2-ASN-Test.mmdb")

pytestmark = pytest.mark.integration


def download(into: Path) -> None:
    """Get the source distribution by pip and unpack it."""
    wanted = ["--no-deps", "--no-binary", ":all:", f"maxminddb=={VERSION}"]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--dest", str(into), *wanted]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    with tarfile.open(next(into.glob("*.tar.gz"))) as packed:
        packed.extractall(into, filter="data")
    FOLDER.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(into / f"maxminddb-{VERSION}", FOLDER)


@pytest.fixture(scope="module")
def maxmind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of the test files, with the reader to be imported."""
    if not FOLDER.exists():
        try:
            download(tmp_path_factory.mktemp("sdist"))
        except (subprocess.SubprocessError, OSError, StopIteration) as error:
            pytest.skip(f"no test files of MaxMind: the sdist of maxminddb {VERSION} can't be had from PyPI: {error}")
    sys.path.insert(0, str(FOLDER))
    yield FOLDER / "tests" / "data"
    sys.path.remove(str(FOLDER))
    for name in [name for name in sys.modules if name.partition(".")[0] == "maxminddb"]:
        del sys.modules[name]


def test_addresses_are_looked_up_in_all_files(maxmind: Path) -> None:
    geo = Geo(maxmind / "test-data" / name for name in FILES)
    found = geo.look_up(pl.Series(["89.160.20.112", "2001:218::1", "192.0.2.7", "nonsense", None]), list(FIELDS))
    assert found.row(0) == ("SE", "Sweden", "Östergötland County", "Linköping", 29518, "Bredband2 AB")
    assert found.row(1)[0] == "JP"
    assert found[2:].null_count().row(0) == (3,) * len(FIELDS)


def test_a_damaged_file_is_refused_or_costs_what_it_holds(maxmind: Path) -> None:
    refused = 0
    for path in sorted(maxmind.rglob("*.mmdb")):
        if path.parent.parent.name != "bad-data" and "roken" not in path.name:
            continue
        geo = Geo([path])
        refused += any(path.name in str(fault) for fault in geo.faults)
        geo.look_up(pl.Series(["1.1.1.1", "::1", "2001:db8::1", "255.255.255.255"]), list(FIELDS))
    assert refused >= 10


def test_a_rule_may_ask_where_an_address_is(maxmind: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = ", ".join(str(maxmind / "test-data" / name) for name in FILES)
    (tmp_path / "soc.yml").write_text(f"own_rules: false\nenrichment: {{geoip: [{names}]}}\n")
    (tmp_path / "rule.yml").write_text(
        "title: Login from Sweden\nid: 00000000-0000-4000-8000-000000000001\nlevel: high\n"
        "logsource: {product: linux, service: sshd}\n"
        "detection: {from: {source.geo.country_iso_code: SE, source.as.number: 29518}, condition: from}\n"
    )
    line = "Mar  2 08:15:00 web1 sshd[7]: Failed password for root from {} port 22 ssh2\n"
    (tmp_path / "auth.log").write_text("".join(line.format(ip) for ip in ("89.160.20.112", "198.51.100.7") * 3))
    out = tmp_path / "found.ndjson"
    arguments = ["--config", str(tmp_path / "soc.yml"), "--rules", str(tmp_path / "rule.yml"), "--no-anomaly"]
    assert main(["scan", str(tmp_path / "auth.log"), *arguments, "--out", str(out)]) == 0
    (finding,) = [orjson.loads(row) for row in out.read_bytes().splitlines()]
    assert "Bredband2 AB" in str(finding)
    assert "198.51.100.7" not in str(finding)
    capsys.readouterr()
