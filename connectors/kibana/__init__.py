"""Kibana: dashboards, the promotion rule and value lists, through its documented APIs; and what panels show."""
