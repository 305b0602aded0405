"""What `benchmark.py` and `repeat.py` measure: a section of the benchmark a file, and repeated fits."""

from classifiers import matplotlib_backend as matplotlib_backend  # before these import matplotlib
