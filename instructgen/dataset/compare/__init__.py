"""What another version has otherwise."""
