"""The registry: only what was signed here and not changed since is loaded."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from connectors.models import Registry
from detectors.errors import InputError, UsageError

ARRAYS = {"sample": np.arange(6.0).reshape(2, 3), "calibration": np.arange(4.0)}


@pytest.fixture(params=["", "file://"])
def registry(request: pytest.FixtureRequest, tmp_path: Path) -> Registry:
    """Return a registry in a folder, and one that takes the folder for an object store."""
    if request.param:
        pytest.importorskip("obstore", reason="the extra s3 is not installed")
    (tmp_path / "models").mkdir()
    return Registry(f"{request.param}{tmp_path / 'models'}", tmp_path / "key")


def test_what_was_saved_comes_back(registry: Registry) -> None:
    version = registry.save("logons", ARRAYS, {"seed": 1})
    registry.promote("logons", version)
    stored, arrays = registry.load("logons")
    assert (stored.version, stored.champion, stored.manifest["seed"]) == (version, True, 1)
    np.testing.assert_array_equal(arrays["sample"], ARRAYS["sample"])
    assert registry.save("logons", ARRAYS, {"seed": 1}) == version


def test_a_changed_or_unsigned_model_is_refused(registry: Registry, tmp_path: Path) -> None:
    version = registry.save("logons", ARRAYS, {"seed": 1})
    folder = tmp_path / "models" / "logons" / version
    content = (folder / "model.npz").read_bytes()
    (folder / "model.npz").write_bytes(content[:-1] + b"x")
    with pytest.raises(InputError, match="changed after it was signed"):
        registry.load("logons", version)
    (folder / "model.npz").write_bytes(content)
    manifest = folder / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"seed": 1', '"seed": 2'))
    with pytest.raises(InputError, match="not signed"):
        registry.load("logons", version)
    with pytest.raises(InputError, match="not signed"):
        registry.promote("logons", version)


def test_a_model_signed_elsewhere_or_moved_is_refused(registry: Registry, tmp_path: Path) -> None:
    version = registry.save("logons", ARRAYS, {"seed": 1})
    with pytest.raises(InputError, match="not signed"):
        Registry(tmp_path / "models", tmp_path / "other key").load("logons", version)
    (tmp_path / "models" / "web").mkdir()
    (tmp_path / "models" / "logons" / version).rename(tmp_path / "models" / "web" / version)
    with pytest.raises(InputError, match="another model"):
        registry.load("web", version)


def test_versions_are_promoted_and_rolled_back(registry: Registry) -> None:
    first, second = (registry.save("logons", ARRAYS, {"seed": seed, "trained": str(seed)}) for seed in (1, 2))
    with pytest.raises(UsageError, match="no model"):
        registry.load("logons")
    registry.promote("logons", first)
    registry.promote("logons", second)
    assert [(one.version, one.champion) for one in registry.versions()] == [(first, False), (second, True)]
    assert registry.rollback("logons") == first == registry.champion("logons")
    with pytest.raises(UsageError, match="before"):
        registry.rollback("logons")


@pytest.mark.parametrize("name", ["../x", "", "A", "a/b"])
def test_names_stay_in_their_folder(registry: Registry, name: str) -> None:
    with pytest.raises(UsageError, match="names no model"):
        registry.load(name, "0" * 16)


def test_the_key_is_made_once_and_for_its_owner_only(registry: Registry, tmp_path: Path) -> None:
    registry.save("logons", ARRAYS, {})
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    assert len((tmp_path / "key").read_bytes()) == 32


def test_a_version_without_its_signature_is_none_yet(registry: Registry, tmp_path: Path) -> None:
    version = registry.save("logons", ARRAYS, {"seed": 1})
    (tmp_path / "models" / "logons" / version / "signature").unlink()
    assert registry.versions() == []
    with pytest.raises(InputError, match="not signed"):
        registry.promote("logons", version)


@pytest.mark.parametrize("address", ["gopher://x/y", "s3://", "nothing://"])
def test_an_address_of_no_store_is_refused(address: str, tmp_path: Path) -> None:
    pytest.importorskip("obstore", reason="the extra s3 is not installed")
    with pytest.raises(UsageError, match=r"names no object store.*path of a folder"):
        Registry(address, tmp_path / "key")


def test_without_its_library_an_address_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "obstore", None)
    with pytest.raises(UsageError, match=r"needs the package obstore; pip install 'gialai-soc\[s3\]'"):
        Registry("s3://bucket/soc", tmp_path / "key")
