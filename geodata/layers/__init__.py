"""Layers with geometry: opened by what they contain, projected, checked, written. Knows nothing of a county's folder."""
