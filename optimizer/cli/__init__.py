"""The command line: words, tables, progress and exit codes; no mathematics."""
