"""Damage to everything that a county may hold, kind by kind, for `tests.mutations`."""
