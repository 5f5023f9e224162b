"""Brings pictures from the web: COCO's archives, and tables of addresses (docs/fetch.md)."""
