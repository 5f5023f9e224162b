"""BLIP-2's first stage (2301.12597, section 3.2): a Q-Former that also reads text, and its heads."""
