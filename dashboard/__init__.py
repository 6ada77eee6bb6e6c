"""The page at `/`: plain ES modules, run as they stand, over the public API alone."""
