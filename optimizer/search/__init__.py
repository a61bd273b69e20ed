"""How a plan is searched for: relax, restrict, split, integrate, split."""
