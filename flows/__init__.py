"""The wiring: settings, Prefect flows and the command line. Nobody imports it."""
