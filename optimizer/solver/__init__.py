"""HiGHS: one engine, and the bridge from Pyomo to it."""
