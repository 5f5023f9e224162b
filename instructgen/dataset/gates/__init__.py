"""What a version must keep to."""
