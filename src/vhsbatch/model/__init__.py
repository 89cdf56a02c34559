"""The values that travel through the program: no processes, no clock, no interface."""
