"""Attacks on what watches and connects the province: the SOC, the operations centre, the border, its networks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from random import Random

from connectors.simulator.acts import hashed
from connectors.simulator.applications import session
from connectors.simulator.attacks.accounts import acting, machine, user
from connectors.simulator.stream import Line, later
from connectors.simulator.world import World


def false_watchman(world: World, random: Random, at: datetime) -> Iterator[Line]:
    """Somebody with an analyst's account stops what would see them, and takes the logs."""
    who, own = user(world, "soc_platform"), session(random)
    act = acting("soc_platform", who, "analyst", session_id=own)
    yield act(at, "disable_rule", rule_id="r-77")
    at = later(at, random, 60, 300)
    yield act(at, "stop_agent", target="his01")
    at = later(at, random, 60, 300)
    yield act(at, "export_logs", records=2_400_000)
    records = acting("medical_records", who, "admin", session_id=own)
    yield records(later(at, random, 60, 300), "disable_audit")


def border_cut(world: World, random: Random, at: datetime) -> Iterator[Line]:
    """The layer of the border is read by somebody who shouldn't, and a sensor is opened."""
    reader = acting("border_stations", user(world, "ioc"), "viewer")
    yield reader(at, "view_layer", layer="border", session_id=session(random))
    sensor = acting("border_stations", machine("border-sync", "H21.09", "10.55.0.60"), "sensor")
    at = later(at, random, 4_000, 9_000)
    yield sensor(at, "sensor_state", sensor_id="S-17", link_state="down", tamper=True)


def private_network(world: World, random: Random, at: datetime) -> Iterator[Line]:
    """The data card of a sensor is put into a modem, and used to reach the Internet."""
    who = machine("access-sync", "H21.09", "10.55.0.60")
    act = acting("access_network", who, "service", imsi_hash=hashed(random, 400), apn="m-gialai")
    yield act(at, "attach", imei_changed=True)
    yield act(later(at, random, 60, 600), "connect", dst_ip=world.strangers[18])


def wall(world: World, random: Random, at: datetime) -> Iterator[Line]:
    """A guest's account changes what the wall of the operations centre shows, and takes data along."""
    who, own = user(world, "ioc", 2), session(random)
    act = acting("ioc", who, "viewer", session_id=own)
    yield act(at, "export_dataset", dataset="health", records=41_000)
    yield act(later(at, random, 60, 600), "set_wall", dataset="message")
