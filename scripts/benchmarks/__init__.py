"""What `benchmark.py` and `repeat.py` measure: a section of the benchmark a file, and repeated fits."""
