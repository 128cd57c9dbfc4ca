"""`soc collect`: its settings, what it needs, its inputs, and the collector itself."""
