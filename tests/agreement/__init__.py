"""How well parsed events agree with what others make of the same lines (needs ../shared/data; development only)."""
