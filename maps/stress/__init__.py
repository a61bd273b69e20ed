"""How the result of a stress test is seen: sentences, tables, chart, folder."""
