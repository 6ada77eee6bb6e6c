"""`fitserve prune`: delete what the retention settings no longer keep."""
