"""Service areas and facility location, proven."""
