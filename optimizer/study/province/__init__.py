"""Province: a budget split among many counties by what each of them reaches with it."""
