"""A robust study: its words, its tables, its folder."""
