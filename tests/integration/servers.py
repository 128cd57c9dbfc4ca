"""Real servers for tests: Kafka (KRaft, one node) and Elasticsearch, from Maven artifacts, without containers.

A server owns a temporary folder and free ports on 127.0.0.1. `stop` and `kill` keep both, so `start` brings the
same server back with its data; `remove` ends it for good.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import pwd
import secrets
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import yaml

from dashboards import installation
from tests.integration.artifacts import ELASTICSEARCH_VERSION, elasticsearch_zip, jdk, kafka_jars, s3proxy_jars, unzip
from tests.integration.certificates import certify

PATIENCE = 240.0  # seconds a server may take to come up; 10 is usual, a busy machine needs more


class Server:
    """A process of its own session, with a log file and a way to ask whether it is ready."""

    name = "server"

    def __init__(self) -> None:
        self.home = Path(tempfile.mkdtemp(prefix=f"soc-{self.name}-"))
        self.home.chmod(0o755)  # the server may run as another user
        self._process: subprocess.Popen[bytes] | None = None

    def command(self) -> list[str]:
        raise NotImplementedError

    def environment(self) -> Mapping[str, str]:
        return {}

    def account(self) -> str | None:
        """Return the user the server runs as; None stands for the user of the tests."""
        return None

    def ready(self) -> bool:
        raise NotImplementedError

    def start(self) -> None:
        """Start the server and wait until it answers."""
        with (self.home / "console.log").open("ab") as log:
            self._process = subprocess.Popen(
                self.command(),
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                cwd=self.home,
                env={**os.environ, **self.environment()},
                start_new_session=True,
                user=self.account(),
            )
        deadline = time.monotonic() + PATIENCE
        while not self.ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                tail = (self.home / "console.log").read_text("utf-8", "replace")[-4000:]
                self.kill()
                raise RuntimeError(f"{self.name} didn't come up in {PATIENCE:.0f} s; its last words:\n{tail}")
            time.sleep(0.2)

    def stop(self) -> None:
        """End the server in good order."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End the server as a power cut would."""
        self._end(signal.SIGKILL)

    def remove(self) -> None:
        """End the server and delete its data."""
        self.kill()
        shutil.rmtree(self.home, ignore_errors=True)

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        for sign in (how, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, sign)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(30)
        self._process = None


class Kafka(Server):
    """One broker that is its own controller; topics are made on first use."""

    name = "kafka"

    def __init__(self) -> None:
        self._java = jdk(17) / "bin" / "java"
        self._jars = kafka_jars()
        super().__init__()
        port = free_port()
        self.address = f"127.0.0.1:{port}"
        self._settings = self.home / "server.properties"
        self._settings.write_text(self.properties(port, free_port()))
        arguments = ["--cluster-id", "gialaiSocKafkaCluster0", "--config", str(self._settings), *self.formatting()]
        self._run("kafka.tools.StorageTool", "format", *arguments)

    def properties(self, port: int, controller: int) -> str:
        """Return the broker's settings."""
        return f"""process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={self.home / "data"}
num.partitions=1
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
"""

    def formatting(self) -> list[str]:
        """Return more arguments for the tool that prepares the data folder."""
        return []

    def command(self) -> list[str]:
        options = ["-Xmx512m", "-XX:TieredStopAtLevel=1", "-cp", f"{self._jars}/*"]
        return [str(self._java), *options, "kafka.Kafka", str(self._settings)]

    def ready(self) -> bool:
        return answers(self.address)

    def _run(self, *arguments: str) -> None:
        classpath = ["-cp", f"{self._jars}/*"]
        subprocess.run([str(self._java), *classpath, *arguments], check=True, capture_output=True, timeout=PATIENCE)


class Elasticsearch(Server):
    """One node with users of the file realm: those of the program's roles, `admin`, and `reader`."""

    name = "elasticsearch"
    roles: ClassVar = {  # the program's own, and two of the tests
        **installation.read().roles,
        "soc_admin": {"cluster": ["all"], "indices": [{"names": ["*"], "privileges": ["all"]}]},
        "soc_reader": {"indices": [{"names": ["soc-*"], "privileges": ["read", "view_index_metadata"]}]},
    }
    users = ("admin", "writer", "reader", "analyst", "verdicts")

    def __init__(self) -> None:
        self._java = jdk(21)
        archive = elasticsearch_zip()
        super().__init__()
        self.url = f"https://127.0.0.1:{free_port()}"
        self.passwords = {user: secrets.token_urlsafe(18) for user in self.users}
        unzip(archive, self.home)
        self._root = self.home / f"elasticsearch-{ELASTICSEARCH_VERSION}"
        self.ca = certify(self._root / "config" / "certs")
        self._configure(self._root / "config")
        if (account := self.account()) is not None:
            subprocess.run(["chown", "-R", account, str(self.home)], check=True)

    def _configure(self, folder: Path) -> None:
        folder.joinpath("elasticsearch.yml").write_text(
            f"""cluster.name: soc-test
discovery.type: single-node
network.host: 127.0.0.1
http.port: {self.url.rpartition(":")[2]}
transport.port: {free_port()}
path.data: {self.home / "data"}
path.logs: {self.home / "logs"}
cluster.routing.allocation.disk.threshold_enabled: false
xpack.security.enabled: true
xpack.security.http.ssl.enabled: true
xpack.security.http.ssl.key: certs/server.key
xpack.security.http.ssl.certificate: certs/server.crt
xpack.security.transport.ssl.enabled: false
xpack.security.authc.realms.file.users.order: 0
"""
        )
        folder.joinpath("roles.yml").write_text(yaml.safe_dump(self.roles))
        folder.joinpath("users").write_text("".join(f"{u}:{pbkdf2(p)}\n" for u, p in self.passwords.items()))
        folder.joinpath("users_roles").write_text("".join(f"soc_{user}:{user}\n" for user in self.passwords))

    def command(self) -> list[str]:
        return [str(self._root / "bin" / "elasticsearch")]

    def environment(self) -> Mapping[str, str]:
        heap = "-Xms512m -Xmx512m -XX:TieredStopAtLevel=1"
        return {"ES_JAVA_HOME": str(self._java), "ES_JAVA_OPTS": heap, "HOME": str(self.home)}

    def account(self) -> str | None:
        """Elasticsearch refuses to run as root."""
        if os.geteuid() != 0:
            return None
        return pwd.getpwnam("nobody").pw_name

    def ready(self) -> bool:
        token = base64.b64encode(f"admin:{self.passwords['admin']}".encode()).decode()
        path = "/_cluster/health?wait_for_status=yellow&timeout=1s"
        request = urllib.request.Request(self.url + path, headers={"Authorization": f"Basic {token}"})  # noqa: S310  # our own https address
        trust = ssl.create_default_context(cafile=str(self.ca))
        try:
            with urllib.request.urlopen(request, timeout=3, context=trust) as answer:  # noqa: S310  # our own https address
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False


class S3(Server):
    """An object store that speaks S3 and asks for signed requests, with one bucket, `models`."""

    name = "s3"

    def __init__(self) -> None:
        self._java = jdk(17) / "bin" / "java"
        self._jars = s3proxy_jars()
        super().__init__()
        self.address = f"127.0.0.1:{free_port()}"
        self.secret = secrets.token_urlsafe(18)
        self.bucket = self.home / "data" / "models"
        self.bucket.mkdir(parents=True)
        (self.home / "s3proxy.conf").write_text(f"""s3proxy.endpoint=http://{self.address}
s3proxy.authorization=aws-v4
s3proxy.identity=soc
s3proxy.credential={self.secret}
jclouds.provider=filesystem-nio2
jclouds.filesystem.basedir={self.home / "data"}
jclouds.identity=none
jclouds.credential=none
""")

    def command(self) -> list[str]:
        options = ["-Xmx256m", "-XX:TieredStopAtLevel=1", "-cp", f"{self._jars}/*"]
        return [str(self._java), *options, "org.gaul.s3proxy.Main", "--properties", str(self.home / "s3proxy.conf")]

    def ready(self) -> bool:
        return answers(self.address)


def answers(address: str) -> bool:
    """Say whether somebody listens on HOST:PORT."""
    host, _, port = address.partition(":")
    with contextlib.suppress(OSError), socket.create_connection((host, int(port)), timeout=1):
        return True
    return False


def free_port() -> int:
    """Return a port nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def pbkdf2(password: str) -> str:
    """Hash a password in the form Elasticsearch's file realm reads: {PBKDF2}rounds$salt$hash."""
    salt, rounds = secrets.token_bytes(32), 10_000
    key = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, rounds, 32)
    return f"{{PBKDF2}}{rounds}${base64.b64encode(salt).decode()}${base64.b64encode(key).decode()}"
