"""Measurements; ratios within one run, medians of several."""
