"""How good data or a model is, in numbers (docs/audit.md)."""
