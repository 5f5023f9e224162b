"""Makes a teacher's text better: by rules, by a second request, and claim by claim (docs/refinement.md)."""
