"""Questions about many plans: budgets, alternatives, forced decisions."""
