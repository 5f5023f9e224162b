"""Drawn pictures with known truth: what stands where, how it looks, and what five people would say of it."""
