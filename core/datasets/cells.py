"""What the text of a cell can mean, in an upload and in an instance alike."""

NULLS = ("", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "?")
"""Cells that mean "missing"."""

TRUE, FALSE = ("true", "yes", "y", "t"), ("false", "no", "n", "f")
