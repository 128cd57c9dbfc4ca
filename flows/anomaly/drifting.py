"""The finding that a model no longer fits what comes in."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from detectors.anomaly.anomaly import Anomaly
from detectors.anomaly.drift import Drift
from detectors.anomaly.featureset import FeatureSet
from detectors.anomaly.parts import Words

TITLE: Final = Words(en="A model no longer fits what comes in", vi="Mô hình không còn phù hợp với dữ liệu hiện tại")
CHECK: Final = Words(
    en="See what changed: a new system, a new layout of a log, a reorganisation; or an attack on many at once. "
    "It is trained again by itself; `soc models list` shows whether the new version is in use.",
    vi="Xem điều gì đã thay đổi: hệ thống mới, định dạng nhật ký mới, sắp xếp lại đơn vị; hoặc tấn công diện rộng. "
    "Mô hình được huấn luyện lại tự động; `soc models list` cho biết phiên bản mới đã được dùng chưa.",
)
TEXT: Final = {
    "en": "The last week differs from what version {version} learnt: {reasons}.",
    "vi": "Tuần vừa qua khác với những gì phiên bản {version} đã học: {reasons}.",
}


def anomaly(chosen: FeatureSet, drift: Drift, version: str, until: datetime) -> Anomaly:
    """Return what is told of a drift; one of a set and calendar week, however often it is seen."""
    begin = until - timedelta(days=until.weekday(), hours=until.hour, minutes=until.minute)
    texts = {
        lang: TEXT[lang].format(version=version, reasons="; ".join(each[at] for each in drift.reasons))
        for at, lang in enumerate(("en", "vi"))
    }
    return Anomaly(
        detector="anomaly.drift",
        version=version,
        title=TITLE,
        check=CHECK,
        level="low",
        tags=(),
        source=", ".join(chosen.sources),
        column="soc.model",
        entity=chosen.name,
        start=begin,
        end=begin + timedelta(days=7),
        text=Words(**texts),
        details={"drift": {"features": drift.features, "scores": drift.scores, "alarms": drift.alarms}},
    )
