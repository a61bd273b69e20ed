"""What studies hand over: frontiers, alternatives, swaps, plans under stress."""
