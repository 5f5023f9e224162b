"""A trained model in use: it answers, describes, is served, and is exported."""
