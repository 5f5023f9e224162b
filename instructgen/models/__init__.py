"""A vision-language model put together from named parts: vision tower, connector, language model."""
