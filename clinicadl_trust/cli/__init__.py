"""The command line: one thin click command a file, imports inside functions."""
