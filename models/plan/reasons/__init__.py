"""Why each decision of a plan is taken: what it really serves, in the numbers of the plan."""
