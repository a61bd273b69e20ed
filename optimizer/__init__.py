"""How is it found? Solving, explaining, the command line."""
