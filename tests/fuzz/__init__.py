"""`make fuzz`: much more of what the tests do in small."""
