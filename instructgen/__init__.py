"""instructgen: visual instruction data from image annotations, and a trainer that uses it."""

__version__ = "0.1.0"
