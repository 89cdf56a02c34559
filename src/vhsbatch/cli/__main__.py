"""The program, where it is run as a module."""

from vhsbatch.cli import main

if __name__ == "__main__":
    main()
