"""A folder with rules, and the command line to work on them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from flows.cli import main

Soc = Callable[..., tuple[int, str, str]]

RULE = """title: Root logged in
id: 6a5b1c2e-0f3d-4a7b-9c8d-1e2f3a4b5c6d
status: experimental
description: Somebody logged in as root.
level: high
tags: [attack.initial-access, attack.t1078.003]
logsource: {product: linux, service: sshd}
detection:
    accepted:
        message|startswith:
            - 'Accepted password for root '
            - 'Accepted publickey for root '
    inside:
        source_ip|cidr: 10.0.0.0/8
    condition: accepted and not inside
tests:
    - name: from outside
      match: true
      source: auth
      lines:
          - 'Mar  9 08:00:01 web01 sshd[7]: Accepted password for root from 203.0.113.9 port 2 ssh2'
          - 'Mar  9 08:00:02 web01 sshd[7]: Accepted publickey for root from 203.0.113.9 port 2 ssh2: RSA x'
      group: host.name=web01 | user.name=root | source.ip=203.0.113.9
      severity: 73
      findings: 1
    - name: from inside, and somebody else
      match: false
      events:
          - {message: 'Accepted password for root from 10.0.0.9', source_ip: 10.0.0.9}
          - {message: 'Accepted password for lan from 203.0.113.9', source_ip: 203.0.113.9}
"""


@pytest.fixture
def soc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Soc:
    """Return what runs the program in an empty folder: exit code, standard output, standard error."""
    monkeypatch.chdir(tmp_path)

    def run(*words: object) -> tuple[int, str, str]:
        code = main([str(word) for word in words])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


@pytest.fixture
def rule(tmp_path: Path) -> Path:
    """Return the file of a rule that is right."""
    path = tmp_path / "rules" / "root_logged_in.yml"
    path.parent.mkdir()
    path.write_text(RULE)
    return path
