"""Serve the page at `/`: ES modules without a build step that use only the public API."""
