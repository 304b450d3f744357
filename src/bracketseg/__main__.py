"""`python -m bracketseg` is the command `bracketseg`."""

from bracketseg.cli import main

main()
