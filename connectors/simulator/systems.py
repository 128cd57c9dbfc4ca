"""What people do in each application on an ordinary day: how often, at what hours, and one act beside another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from connectors.simulator import acts
from connectors.simulator.acts import Maker


@dataclass(frozen=True, slots=True)
class Act:
    """Something people do in a system, how often beside the others, and its own fields."""

    name: str
    weight: int
    fields: Maker = acts.nothing


@dataclass(frozen=True, slots=True)
class System:
    """An application: `per_hour` sessions at its busiest, of up to `longest` acts `pace` seconds apart."""

    name: str
    host: str
    role: str
    per_hour: float
    acts: tuple[Act, ...]
    rhythm: Literal["office", "evening", "public", "always"] = "office"
    share: float = 0.3  # of the staff
    longest: int = 6
    pace: tuple[float, float] = (20, 240)
    machine: bool = False


SYSTEMS = (
    System("public_services", "dvc01", "officer", 60, (
        Act("view_dossier", 10, acts.dossier),
        Act("change_state", 5, acts.state),
        Act("update_dossier", 3, acts.dossier),
        Act("receive_dossier", 2, acts.received),
        Act("approve_dossier", 1, acts.dossier),
    ), share=0.7),
    System("ecabinet", "ecab01", "member", 8, (
        Act("view_document", 8, acts.document),
        Act("download_document", 2, acts.document),
        Act("annotate_document", 2, acts.document),
        Act("vote", 1, acts.document),
    )),
    System("reporting", "lris01", "officer", 8, (
        Act("update_indicator", 6, acts.indicator),
        Act("view_report", 5, acts.indicator),
        Act("submit_report", 1),
    )),
    System("personnel", "hrm01", "hr", 8, (
        Act("view_record", 9, acts.employee),
        Act("update_record", 2, acts.employee),
        Act("list_records", 2, acts.some(200)),
        Act("export_records", 1, acts.some(60)),
    ), share=0.1),
    System("portal_cms", "cms01", "editor", 4, (
        Act("update_article", 4, acts.title),
        Act("publish_article", 2, acts.title),
        Act("upload_file", 2, acts.picture),
    ), share=0.1),
    System("digital_signature", "sign01", "officer", 25, (
        Act("sign", 8, acts.signed),
        Act("verify", 3, acts.signed),
    ), longest=3),
    System("school_records", "edu01", "teacher", 20, (
        Act("view_class", 5, acts.mark),
        Act("update_mark", 4, acts.mark),
        Act("view_mark", 4, acts.mark),
    ), rhythm="evening", share=0.4),
    System("medical_records", "his01", "doctor", 25, (
        Act("view_record", 8, acts.patient),
        Act("edit_record", 3, acts.patient),
        Act("search_records", 2, acts.some(30)),
    ), rhythm="public", share=0.3),
    System("payments", "pay01", "accountant", 8, (
        Act("issue_invoice", 8, acts.invoice),
        Act("view_invoice", 4, acts.invoice),
        Act("payout", 1, acts.payout),
        Act("cancel_invoice", 1, acts.invoice),
    ), share=0.1, longest=4),
    System("ecommerce", "shop01", "gateway", 15, (
        Act("payment_confirmed", 5, acts.order),
        Act("create_order", 6, acts.order),
        Act("ship_order", 4, acts.order),
    ), rhythm="public", machine=True),
    System("address_map", "map01", "officer", 8, (
        Act("update_addresses", 5, acts.address),
        Act("view_map", 6, acts.address),
        Act("move_addresses", 1, acts.address),
    ), share=0.3),
    System("population_queries", "bus01", "officer", 25, (
        Act("query_citizen", 1, acts.citizen),
    ), share=0.5, longest=4),
    System("tax_notices", "tax01", "officer", 4, (
        Act("issue_notice", 4, acts.notice),
        Act("update_notice", 2, acts.notice),
        Act("view_notice", 5, acts.notice),
    ), share=0.1),
    System("ioc", "ioc01", "operator", 6, (
        Act("view_dashboard", 8, acts.dataset),
        Act("export_dataset", 1, acts.some(900)),
        Act("set_wall", 1, acts.dataset),
    ), rhythm="public", share=0.05),
    System("documents", "office01", "officer", 60, (
        Act("read_document", 9, acts.letter),
        Act("send_document", 2, acts.letter),
        Act("read_mail", 6),
    ), share=0.9),
    System("video_conference", "mcu01", "endpoint", 6, (
        Act("join", 5, acts.join),
        Act("leave", 5, acts.join),
    ), share=0.3, longest=2),
    System("access_network", "noc01", "service", 30, (
        Act("circuit_state", 9, acts.circuit),
        Act("attach", 1, acts.attachment),
    ), rhythm="always", machine=True),
    System("border_stations", "bord01", "sensor", 20, (
        Act("sensor_state", 9, acts.sensor),
    ), rhythm="always", machine=True),
    System("datacentre", "dcim01", "service", 20, (
        Act("rack_state", 9, acts.rack),
        Act("create_snapshot", 2, acts.rack),
        Act("delete_snapshot", 2, acts.rack),
    ), rhythm="always", machine=True),
    System("soc_platform", "soc01", "analyst", 8, (
        Act("search", 9, acts.some(5000)),
        Act("view_case", 6),
        Act("clock_check", 4, acts.skew),
        Act("edit_rule", 1, acts.ticket),
    ), rhythm="public", share=0.05),
)  # fmt: skip
