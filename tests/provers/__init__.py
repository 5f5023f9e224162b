"""Provers: they read finished English back into claims and check them, with nothing of the generators' code."""
