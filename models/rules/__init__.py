"""The rules of a plan: one record a rule, one file a family; rows for the solver and a check for the referee."""
