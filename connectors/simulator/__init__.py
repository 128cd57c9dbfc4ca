"""Logs of an invented province with attacks whose every line is known: for the demo, for tests, for training.

province.yml ─► build ─► portal, auth, domain, hotline, applications, infrastructure, network, attacks ─► simulate ─►
write ─► logs, truth ─► score
"""

from connectors.simulator.province import Province, load
from connectors.simulator.score import MATCHED, Score, read_truth, score
from connectors.simulator.simulate import SOURCES, simulate
from connectors.simulator.stream import Line
from connectors.simulator.write import Summary, write

__all__ = [
    "MATCHED",
    "SOURCES",
    "Line",
    "Province",
    "Score",
    "Summary",
    "load",
    "read_truth",
    "score",
    "simulate",
    "write",
]
