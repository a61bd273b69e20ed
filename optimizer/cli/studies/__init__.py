"""Studies of many plans on the command line: words, tables and progress."""
