"""The detection rule that makes a Security alert of each finding, by Kibana's detections API."""

from __future__ import annotations

from typing import Any

from connectors.kibana.client import Kibana
from detectors.errors import UnavailableError

Json = dict[str, Any]


def enable(kibana: Kibana) -> None:
    """Make the space's index of alerts, if there is none; it takes a user who may manage the cluster."""
    kibana.ask("POST", "/api/detection_engine/index")


def put(kibana: Kibana, rule: bytes) -> int:
    """Import the rule over the one that stands there: its id stays, so no finding becomes an alert twice.

    Raises:
        UnavailableError: the rule was not taken; the answer's body says so, whatever its status.
    """
    files = {"file": ("soc-rule.ndjson", rule, "application/ndjson")}
    answer = kibana.ask("POST", "/api/detection_engine/rules/_import", params={"overwrite": "true"}, files=files)
    body = kibana.json(answer)
    if body.get("success") is not True:
        faults = "; ".join(
            f"{each.get('rule_id', each.get('id', ''))}: {each.get('error', {}).get('message', '')}"
            for each in [*body.get("errors", []), *body.get("exceptions_errors", [])]
        )
        raise UnavailableError(
            f"Kibana refused the promotion rule: {faults}", fix="see docs/dashboards.md on its rights"
        )
    return int(body.get("success_count", 0))
