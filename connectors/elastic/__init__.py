"""Elasticsearch: where findings and matches stand for Kibana."""

from __future__ import annotations

from connectors.elastic.client import Cluster, connect
from connectors.elastic.setup import check, setup
from connectors.elastic.sink import ElasticSink, Retry

__all__ = ["Cluster", "ElasticSink", "Retry", "check", "connect", "setup"]
