"""What an answer claims of a picture, held against the picture's boxes and captions (docs/grounding.md)."""
