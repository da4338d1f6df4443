"""A working-off that is only rehearsed: the same planning, and nothing is written."""
