"""Why a plan decides as it does: one decision turned round, weighed goal by goal, and what would flip it."""
