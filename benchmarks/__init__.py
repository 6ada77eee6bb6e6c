"""Measure fitserve: ratios are computed within one run, medians over several runs."""
