"""What connects people and programs to the calculation: the command line, and the demonstration."""
