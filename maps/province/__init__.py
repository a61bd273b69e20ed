"""A province's split: its words, its tables, its chart, its folder."""
