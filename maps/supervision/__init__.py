"""The report of a supervision: list of problems, ledger of rectification, what moved and why."""
