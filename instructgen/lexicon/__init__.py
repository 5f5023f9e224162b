"""Words for things: COCO's categories, their mentions in text, plurals, colours, numbers."""
