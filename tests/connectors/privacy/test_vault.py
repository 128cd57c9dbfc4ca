"""The vault opens to two custodians only, and the record of that can't be changed unseen."""

from __future__ import annotations

import stat
from datetime import date
from pathlib import Path

import pytest

from connectors.privacy import audit, keys, vault
from detectors.errors import InputError, UsageError

WORDS = {"lan": "correct horse battery", "minh": "staple battery horse", "thu": "another long passphrase"}


@pytest.fixture(scope="module", autouse=True)
def cheap() -> None:
    """Stretch passphrases less: what is tested doesn't depend on it."""
    vault.COST = 1 << 4  # type: ignore[misc]


def two(*names: str) -> dict[str, str]:
    return {name: WORDS[name] for name in names}


def test_any_two_custodians_open_it_and_fewer_do_not(tmp_path: Path) -> None:
    lock, store = tmp_path / "vault.lock", tmp_path / "vault"
    public = vault.create(lock, WORDS)
    vault.append(store, public, {"pd_k1_a": "0912345678"})
    vault.append(store, public, {"pd_k1_b": "Nguyễn Văn A"})
    for pair in (("lan", "minh"), ("minh", "thu"), ("thu", "lan")):
        key = vault.open_lock(lock, two(*pair))
        assert vault.find(store, key, "pd_k1_b") == "Nguyễn Văn A"
    assert vault.find(store, key, "pd_k1_c") is None
    with pytest.raises(UsageError, match="two different people"):
        vault.open_lock(lock, two("lan"))
    with pytest.raises(UsageError, match="a passphrase is wrong"):
        vault.open_lock(lock, {"lan": WORDS["lan"], "minh": WORDS["lan"]})
    with pytest.raises(UsageError, match="'an' is no custodian of the vault; known: lan, minh, thu"):
        vault.open_lock(lock, {"lan": WORDS["lan"], "an": "x"})


def test_nothing_in_the_files_tells_a_value(tmp_path: Path) -> None:
    public = vault.create(tmp_path / "vault.lock", two("lan", "minh"))
    vault.append(tmp_path / "vault", public, {"pd_k1_a": "0912345678"})
    for path in tmp_path.iterdir():
        assert b"0912345678" not in path.read_bytes()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_line_that_was_cut_off_costs_itself(tmp_path: Path) -> None:
    lock, store = tmp_path / "vault.lock", tmp_path / "vault"
    public = vault.create(lock, two("lan", "minh"))
    vault.append(store, public, {"a": "1"})
    store.write_bytes(store.read_bytes()[:-20])
    vault.append(store, public, {"b": "2"})
    key = vault.open_lock(lock, two("lan", "minh"))
    assert [dict(pairs) for pairs in vault.entries(store, key)] == [{"b": "2"}]


@pytest.mark.parametrize("words", [{"lan": "correct horse battery"}, {"lan": "short", "an": "also"}, {}])
def test_weak_custody_is_refused(tmp_path: Path, words: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        vault.create(tmp_path / "vault.lock", words)


def test_every_change_of_the_record_shows(tmp_path: Path) -> None:
    path, lock = tmp_path / "audit.ndjson", tmp_path / "vault.lock"
    vault.create(lock, two("lan", "minh"))
    key = vault.open_lock(lock, two("lan", "minh"))
    audit.record(path, {"action": "asked", "token": "t"})
    audit.record(path, {"action": "revealed", "token": "t"}, key)
    audit.record(path, {"action": "asked", "token": "u"})
    assert audit.verify(path).records == 3
    whole = path.read_bytes()
    lines = whole.splitlines(keepends=True)
    changed = {
        "a word": whole.replace(b'"t"', b'"x"', 1),
        "one left out": lines[0] + lines[2],
        "the first left out": lines[1] + lines[2],
        "two turned round": lines[1] + lines[0] + lines[2],
        "cut off": whole[:-5],
        "rubbish": whole + b"{}\n",
    }
    for what, data in changed.items():
        path.write_bytes(data)
        with pytest.raises(InputError, match=r"audit\.ndjson:\d"):
            audit.verify(path)
        with pytest.raises(InputError):
            audit.record(path, {"action": "asked", "token": what})


def test_nobody_alone_can_write_that_something_was_revealed(tmp_path: Path) -> None:
    path = tmp_path / "audit.ndjson"
    audit.record(path, {"action": "revealed", "token": "t"})
    with pytest.raises(InputError, match="not signed by two custodians"):
        audit.verify(path)


def test_keys_are_rotated_and_others_may_not_read_them(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    made = keys.Keys((keys.fresh("k1", date(2026, 1, 1)),), b"p" * 32)
    keys.write(path, made.rotated(date(2026, 6, 1)))
    read = keys.read(path)
    assert [key.id for key in read.keys] == ["k1", "k2"]
    assert read.keys[0] == made.keys[0]
    assert read.now.since == "2026-06-01"
    path.chmod(0o644)
    with pytest.raises(UsageError, match="others may read the key file; chmod 600"):
        keys.read(path)
    path.chmod(0o600)
    path.write_text("{}")
    with pytest.raises(UsageError, match="no key file"):
        keys.read(path)
    with pytest.raises(UsageError, match="soc privacy setup"):
        keys.read(tmp_path / "none")
