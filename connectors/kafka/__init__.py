"""Kafka at both ends: collectors write `soc.raw.<source>`, the pipeline reads it as a consumer group."""

from __future__ import annotations

from connectors.kafka.connection import DEAD_TOPIC, RAW, Connection
from connectors.kafka.source import KafkaSource, Limits
from connectors.kafka.topics import check, setup
from connectors.kafka.writer import DeadLetters, KafkaWriter

__all__ = ["DEAD_TOPIC", "RAW", "Connection", "DeadLetters", "KafkaSource", "KafkaWriter", "Limits", "check", "setup"]
