"""Lets `python -m ringlight.cli` run the command line."""

from ringlight.cli import main

main()
