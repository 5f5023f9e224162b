"""People look at what the filters let through: order, decisions, agreement, and the page that shows a sample."""
