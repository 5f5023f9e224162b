"""What is certain of an image, as a graph: entities, attributes, actions and circumstances, with evidence."""
