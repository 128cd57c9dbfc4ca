"""The edges: files, Kafka, Elasticsearch, the embedded store, the archive, log formats and source definitions."""
