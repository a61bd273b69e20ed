"""Road extracts to networks and shortest paths."""
