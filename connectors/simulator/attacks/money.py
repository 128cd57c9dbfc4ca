"""Attacks on money: payments, tax notices, the trading floor."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from random import Random

from connectors.simulator.acts import hashed
from connectors.simulator.applications import session
from connectors.simulator.attacks.accounts import acting, machine, outside, user
from connectors.simulator.stream import Line, later
from connectors.simulator.world import World


def payment_fraud(world: World, random: Random, at: datetime) -> Iterator[Line]:
    """The account of a supplier's payee is changed right before the money goes out."""
    thief, own = outside(world, user(world, "payments"), 13), session(random)
    act = acting("payments", thief, "accountant", contract_id="C-09911", session_id=own)
    yield act(at, "change_payee", payee_acct_hash=hashed(random))
    yield act(later(at, random, 2_000, 6_000), "payout", amount=480_000_000)


def tax_fraud(world: World, random: Random, at: datetime) -> Iterator[Line]:
    """The amount of an issued notice becomes smaller; another one is cancelled."""
    who, own = user(world, "tax_notices"), session(random)
    act, amounts = (
        acting("tax_notices", who, "officer", session_id=own),
        {"amount_old": 91_000_000, "amount": 9_100_000},
    )
    yield act(at, "update_notice", notice_no="TB-00771", notice_state="issued", **amounts)
    yield act(later(at, random, 60, 900), "cancel_notice", notice_no="TB-00772")


def skimmer(world: World, random: Random, at: datetime) -> Iterator[Line]:
    """The checkout of the floor gets a script that copies cards, and a forged payment passes."""
    editor = acting("ecommerce", machine("shop-admin", "H21.05", world.strangers[19]), "admin")
    yield editor(at, "update_template", file_name="theme/checkout.js", session_id=session(random))
    gate = acting("ecommerce", machine("gateway", "H21.05", world.strangers[19]), "gateway")
    paid = {"order_id": "O-00077", "amount": 8_000_000, "webhook_sig_ok": False}
    yield gate(later(at, random, 900, 4_000), "payment_confirmed", **paid)
