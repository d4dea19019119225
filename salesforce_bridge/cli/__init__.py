"""The operator's hands: commands that say what they would do before they do it."""
