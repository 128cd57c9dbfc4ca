"""What the servers of the tests are made of: a JDK of this machine, and distributions from Maven, downloaded once."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import tempfile
import zipfile
from pathlib import Path

KAFKA_VERSION = "4.1.0"
ELASTICSEARCH_VERSION = "9.5.0"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "gialai-soc" / "servers"

S3PROXY_VERSION = "2.6.0"

POM = """<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>test</groupId><artifactId>servers</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>{group}</groupId><artifactId>{artifact}</artifactId><version>{version}</version></dependency>
  </dependencies>
</project>
"""


class MissingError(Exception):
    """Something this machine lacks to run a server."""


def jdk(least: int) -> Path:
    """Return the home of a JDK of that version or newer, the oldest that will do."""
    homes = [Path(home) for home in (os.environ.get("ES_JAVA_HOME"), os.environ.get("JAVA_HOME")) if home]
    homes += sorted(Path("/usr/lib/jvm").glob("*"))
    fit = [(version, home) for home in homes if (version := java_version(home)) >= least]
    if not fit:
        raise MissingError(f"no JDK {least} or newer (looked at JAVA_HOME and /usr/lib/jvm)")
    return min(fit)[1]


def java_version(home: Path) -> int:
    """Read the version from the file `release` every JDK has: JAVA_VERSION="25.0.1"."""
    try:
        found = re.search(r'JAVA_VERSION="(\d+)', (home / "release").read_text())
    except OSError:
        return 0
    return int(found[1]) if found and (home / "bin" / "java").exists() else 0


def jars(group: str, artifact: str, version: str) -> Path:
    """Return the folder of an artifact's jars and those that it needs; the first time, download them."""
    folder = CACHE / f"{artifact.partition('_')[0]}-{version}"
    if not folder.exists():
        pom = POM.format(group=group, artifact=artifact, version=version)
        maven("dependency:copy-dependencies", "-DincludeScope=runtime", into=folder, pom=pom)
    return folder


def kafka_jars() -> Path:
    """Return the folder of Kafka's jars."""
    return jars("org.apache.kafka", "kafka_2.13", KAFKA_VERSION)


def s3proxy_jars() -> Path:
    """Return the folder of S3Proxy's jars."""
    return jars("org.gaul", "s3proxy", S3PROXY_VERSION)


def elasticsearch_zip() -> Path:
    """Return the distribution's archive; the first time, download it."""
    folder = CACHE / f"elasticsearch-{ELASTICSEARCH_VERSION}"
    if not folder.exists():
        artifact = "org.elasticsearch.distribution.integ-test-zip:elasticsearch"
        maven("dependency:copy", f"-Dartifact={artifact}:{ELASTICSEARCH_VERSION}:zip", into=folder, pom=None)
    return next(folder.glob("*.zip"))


def maven(*goal: str, into: Path, pom: str | None) -> None:
    """Run a Maven goal that fills a folder; the folder appears whole or not at all."""
    if shutil.which("mvn") is None:
        raise MissingError("no Maven (the command mvn) to download the servers with")
    into.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=into.parent) as work:
        if pom is not None:
            (Path(work) / "pom.xml").write_text(pom)
        output = f"-DoutputDirectory={work}/out"
        command = ["mvn", "-q", "-B", *goal, output]
        done = subprocess.run(command, cwd=work, capture_output=True, text=True, timeout=900, check=False)
        if done.returncode:
            raise RuntimeError(f"Maven failed: {done.stdout[-2000:]}")
        with contextlib.suppress(FileExistsError):  # another session was faster
            (Path(work) / "out").rename(into)


def unzip(archive: Path, folder: Path) -> None:
    """Unpack and keep the modes, which `ZipFile.extractall` doesn't."""
    with zipfile.ZipFile(archive) as packed:
        for member in packed.infolist():
            path = Path(packed.extract(member, folder))
            if mode := member.external_attr >> 16 & 0o777:
                path.chmod(mode)
