"""Years of a county kept one after the other: a ledger that only grows, each entry sealed to the one before."""
