"""Reads instruction data that exists already, whoever made it (docs/audit.md)."""
