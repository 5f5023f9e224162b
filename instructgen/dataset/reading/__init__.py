"""Rows of a version for a training loop: their order, their pictures found in the pages, decoded."""
