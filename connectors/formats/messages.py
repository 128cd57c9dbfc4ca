r"""What the programs of a Linux server say in their syslog messages: sshd, sudo, su, PAM, useradd.

A row of MESSAGES is (programs, pattern, action, outcome); its named groups are own columns. A user name is whatever a
stranger typed, so patterns anchor what follows it at the end of the message.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

FROM: Final = r" from (?P<source_ip>\S+)(?: port (?P<source_port>\d+))?(?: ssh2)?(?:: [A-Z].*)?(?: \[preauth\])?$"

MESSAGES: Final[tuple[tuple[tuple[str, ...], str, str, str | None], ...]] = (
    # Accepted publickey for lan from 192.0.2.7 port 59229 ssh2: RSA SHA256:…
    (("sshd",), r"^Accepted (?P<method>\S+) for (?P<user>.*)" + FROM, "ssh_login", "success"),
    # Failed password for invalid user admin from 192.0.2.7 port 1786 ssh2
    (
        ("sshd",),
        r"^Failed (?P<method>\S+) for (?:invalid user |illegal user )?(?P<user>.*)" + FROM,
        "ssh_login",
        "failure",
    ),
    # Invalid user admin from 192.0.2.7 port 53502
    (("sshd",), r"^(?:Invalid|Illegal) user (?P<user>.*)" + FROM, "ssh_invalid_user", "failure"),
    (("sshd",), r"^User (?P<user>.*) from (?P<source_ip>\S+) not allowed because .*$", "ssh_login", "failure"),
    (
        ("sshd",),
        r"^(?:error: )?maximum authentication attempts exceeded for (?:invalid user )?(?P<user>.*)" + FROM,
        "ssh_login",
        "failure",
    ),
    # Connection closed by authenticating user root 192.0.2.7 port 22 [preauth]
    (
        ("sshd",),
        r"^(?:Connection (?:closed|reset) by|Disconnected from)(?: (?:invalid|authenticating))?"
        r"(?: user (?P<user>.*))? (?P<source_ip>[0-9A-Fa-f]*[.:][0-9A-Fa-f.:]+)"
        r"(?: port (?P<source_port>\d+))?(?: \[preauth\])?$",
        "ssh_disconnect",
        None,
    ),
    (
        ("sshd",),
        r"^Received disconnect from (?P<source_ip>\S+?)(?: port (?P<source_port>\d+))?:.*$",
        "ssh_disconnect",
        None,
    ),
    (
        ("sshd",),
        r"^Did not receive identification string from (?P<source_ip>\S+)(?: port (?P<source_port>\d+))?$",
        "ssh_probe",
        "failure",
    ),
    # lan : 3 incorrect password attempts ; TTY=pts/0 ; PWD=/home/lan ; USER=root ; COMMAND=/bin/sh
    (
        ("sudo",),
        r"^\s*(?P<user>\S+) : (?:(?P<reason>[^;=]+) ; )(?:.*?TTY=(?P<tty>\S+) ; )?PWD=(?P<pwd>.*?) ; "
        r"USER=(?P<run_as>\S+) ; (?:GROUP=\S+ ; )?(?:ENV=.*? ; )?COMMAND=(?P<command>.*)$",
        "sudo",
        "failure",
    ),
    (
        ("sudo",),
        r"^\s*(?P<user>\S+) : (?:TTY=(?P<tty>\S+) ; )?PWD=(?P<pwd>.*?) ; "
        r"USER=(?P<run_as>\S+) ; (?:GROUP=\S+ ; )?(?:TSID=\S+ ; )?(?:ENV=.*? ; )?COMMAND=(?P<command>.*)$",
        "sudo",
        "success",
    ),
    # pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.7  user=root
    (
        (),
        r"^(?:pam_\w+\([^)]*\): )?authentication failure; .*?\btty=(?P<tty>\S*) .*?rhost=(?P<source_ip>\S*)"
        r"(?:\s+user=(?P<user>.*))?\s*$",
        "pam_auth",
        "failure",
    ),
    # pam_unix(sudo:session): session opened for user root(uid=0) by lan(uid=1000)
    (
        (),
        r"^(?:pam_\w+\([^)]*\): )?session opened for user (?P<user>[^\s(]+)(?:\(uid=\d+\))?(?: by .*)?$",
        "session_open",
        "success",
    ),
    ((), r"^(?:pam_\w+\([^)]*\): )?session closed for user (?P<user>\S+)$", "session_close", None),
    # (to root) lan on pts/1 · FAILED SU (to root) lan on pts/1
    (("su",), r"^\(to (?P<run_as>[^)]+)\) (?P<user>.*) on (?P<tty>\S+)$", "su", "success"),
    (("su",), r"^FAILED SU \(to (?P<run_as>[^)]+)\) (?P<user>.*) on (?P<tty>\S+)$", "su", "failure"),
    (("useradd",), r"^new user: name=(?P<user>[^,]+), .*$", "user_added", "success"),
    (("userdel",), r"^delete user '(?P<user>[^']+)'$", "user_deleted", "success"),
    (("groupadd",), r"^(?:new group|group added to \S+): name=(?P<group>[^,]+).*$", "group_added", "success"),
    # (root) CMD (run-parts /etc/cron.hourly)
    (
        ("CRON", "cron", "crond", "/usr/sbin/cron"),
        r"^\((?P<user>[^)]+)\) CMD \((?P<command>.*)\)$",
        "cron_command",
        None,
    ),
)

GROUPS: Final = ("user", "source_ip", "source_port", "method", "command", "pwd", "tty", "run_as", "reason", "group")
COLUMNS: Final = (*GROUPS, "action", "outcome")


def parse(program: pl.Series, message: pl.Series, wanted: Sequence[str]) -> pl.DataFrame:
    """Return the wanted columns; all null where no pattern holds. The first pattern that holds counts."""
    frame = pl.DataFrame([program.alias("program"), message.alias("message")])
    found = [_found(frame, programs, pattern, action, outcome) for programs, pattern, action, outcome in MESSAGES]
    rows = pl.concat(found, how="diagonal").unique("row", keep="first", maintain_order=True)
    rows = pl.concat(
        [pl.DataFrame(schema={"row": pl.UInt32, **dict.fromkeys(COLUMNS, pl.String)}), rows], how="diagonal"
    )
    everything = frame.select(pl.int_range(pl.len(), dtype=pl.UInt32).alias("row"))
    return everything.join(rows, on="row", how="left", maintain_order="left").select(wanted)


def _found(
    frame: pl.DataFrame, programs: tuple[str, ...], pattern: str, action: str, outcome: str | None
) -> pl.DataFrame:
    holds = pl.col("message").str.contains(pattern)
    if programs:
        holds = pl.col("program").is_in(programs) & holds
    rows = frame.with_row_index("row").filter(holds)
    groups = rows.select("row", pl.col("message").str.extract_groups(pattern).alias("groups")).unnest("groups")
    return groups.with_columns(action=pl.lit(action), outcome=pl.lit(outcome, pl.String)).with_columns(
        pl.when(pl.col(name) != "").then(pl.col(name)).alias(name) for name in groups.columns if name != "row"
    )
