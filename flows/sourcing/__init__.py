"""What people do with source definitions: list, check, propose and test them, and write to owners of systems."""
