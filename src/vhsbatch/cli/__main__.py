"""The program, where it is run as a module."""

from vhsbatch.cli import main

main()
