"""What describes a version to people and to other programs: the card, statistics, plots, Croissant."""
