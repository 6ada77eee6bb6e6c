"""Delete what the retention settings no longer keep."""
