"""A folder with a rule and a log, for commands that read both."""

from __future__ import annotations

from pathlib import Path

RULE = """title: Password guessed at
id: 00000000-0000-4000-8000-000000000001
status: test
level: high
tags: [attack.credential-access, attack.t1110.001]
logsource: {product: linux, service: sshd}
detection:
  keywords: ['Failed password for invalid user']
  condition: keywords
"""
LINE = (
    "Mar  9 08:{minute:02d}:01 web01 sshd[71]: Failed password for invalid user admin from 203.0.113.9 port 22 ssh2\n"
)
QUIET = "Mar  9 09:00:01 web01 sshd[72]: Accepted publickey for lan from 192.0.2.7 port 50022 ssh2: RSA SHA256:abc\n"


def lay_out(folder: Path) -> Path:
    """Put the rule into `rules`, and a log of ten failures in fifteen lines into `logs`; return the folder."""
    (folder / "rules").mkdir()
    (folder / "rules" / "guess.yml").write_text(RULE)
    (folder / "logs").mkdir()
    (folder / "logs" / "auth.log").write_text("".join(LINE.format(minute=m) for m in range(10)) + QUIET * 5)
    return folder
