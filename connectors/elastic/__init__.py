"""Elasticsearch: where findings and matches stand for Kibana."""

from __future__ import annotations

from connectors.elastic.bulk import Retry
from connectors.elastic.client import Cluster, connect
from connectors.elastic.memory import ElasticMemory
from connectors.elastic.setup import check, setup
from connectors.elastic.sink import ElasticSink

__all__ = ["Cluster", "ElasticMemory", "ElasticSink", "Retry", "check", "connect", "setup"]
