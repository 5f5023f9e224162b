"""Pages over published versions, served by this machine to itself: search, samples, differences, review."""
