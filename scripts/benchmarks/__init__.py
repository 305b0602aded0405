"""The measurements of `scripts/benchmark.py`, a section a file: each fit beside what it is compared with, in turns."""
