"""Every rule, cost and measure of a plan recomputed from the raw tables, without a solver."""
