"""What all our web pages share: templates, look, charts, pictures with boxes, answers with their claims marked."""
