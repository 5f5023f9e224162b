"""The suites of questions that `instructgen evaluate` knows (docs/evaluation.md)."""
