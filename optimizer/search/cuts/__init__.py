"""Goals that are convex and not linear: tangents and planes under them, found at solutions and added as numbers."""
