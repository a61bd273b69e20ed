"""What differs between two plans: amounts, and rows of the ledger with their causes."""
