"""New versions from the rows of others: merged, split, sampled, mixed."""
