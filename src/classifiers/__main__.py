"""`python -m classifiers` is the command `classifiers`."""

from classifiers.cli import main

main()
