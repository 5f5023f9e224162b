"""Versions on the Hugging Face Hub."""
