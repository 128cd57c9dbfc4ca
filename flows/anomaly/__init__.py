"""Behaviour out of the ordinary: from archived events or files to models, and from models to findings."""
