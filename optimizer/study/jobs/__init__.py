"""Jobs of a study: what one is, worker processes and clusters that do it, rows that grow on disk."""
