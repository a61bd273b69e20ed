"""The Pyomo model: variables, rules as rows, goals, lower planes of the imbalance measure."""
