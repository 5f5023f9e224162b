"""Pages that show what was made, at what cost and from what: of a build, a run of training, an evaluation."""
