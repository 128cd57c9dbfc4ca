"""Models in an object store that speaks S3: kept, promoted and refused as in a folder, and told of when it is away."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from connectors.models import Registry
from detectors.errors import InputError, UnavailableError, UsageError
from tests.integration.conftest import running
from tests.integration.servers import S3

pytestmark = pytest.mark.integration
ARRAYS = {"sample": np.arange(6.0).reshape(2, 3), "calibration": np.arange(4.0)}


@pytest.fixture(scope="module")
def server() -> Iterator[S3]:
    if not os.environ.get("CI"):
        pytest.importorskip("obstore", reason="the extra s3 is not installed")
    yield from running(S3)


@pytest.fixture
def store(server: S3, monkeypatch: pytest.MonkeyPatch) -> S3:
    """Return the server, which the environment names."""
    for name, value in {"ENDPOINT_URL": f"http://{server.address}", "ALLOW_HTTP": "true", "REGION": "us-east-1",
                        "ACCESS_KEY_ID": "soc", "SECRET_ACCESS_KEY": server.secret}.items():  # fmt: skip
        monkeypatch.setenv(f"AWS_{name}", value)
    return server


def test_models_are_kept_promoted_rolled_back_and_refused_when_changed(store: S3, tmp_path: Path) -> None:
    registry = Registry("s3://models/soc", tmp_path / "key")
    assert registry.versions() == []
    first, second = (registry.save("logons", ARRAYS, {"seed": seed, "trained": str(seed)}) for seed in (1, 2))
    registry.promote("logons", first)
    registry.promote("logons", second)
    elsewhere = Registry("s3://models/soc", tmp_path / "key")  # another machine with the same key
    assert [(one.version, one.champion) for one in elsewhere.versions()] == [(first, False), (second, True)]
    stored, arrays = elsewhere.load("logons")
    assert stored.manifest["seed"] == 2
    np.testing.assert_array_equal(arrays["sample"], ARRAYS["sample"])
    assert registry.rollback("logons") == first

    with pytest.raises(InputError, match=f"s3://models/soc/logons/{first}/manifest.json: the model is not signed"):
        Registry("s3://models/soc", tmp_path / "other").load("logons")
    file = store.bucket / "soc" / "logons" / first / "model.npz"
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    with pytest.raises(InputError, match="changed after it was signed"):
        registry.load("logons")


def test_a_missing_bucket_a_wrong_secret_and_a_store_that_is_away_are_told(
    store: S3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free_port_address: str
) -> None:
    with pytest.raises(UsageError, match="make the bucket"):
        Registry("s3://nowhere/soc", tmp_path / "key").save("logons", ARRAYS, {})
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    with pytest.raises(UnavailableError, match="credentials") as refused:
        Registry("s3://models/soc", tmp_path / "key").load("logons")
    assert store.secret not in str(refused.value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{free_port_address}")
    with pytest.raises(UnavailableError, match="s3://models/soc doesn't answer"):
        Registry("s3://models/soc", tmp_path / "key").load("logons")
