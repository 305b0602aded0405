"""Imports matplotlib with the backend that MPLBACKEND names, or with its own where there is no such backend.

A notebook hands its MPLBACKEND down to the scripts that it starts, in an environment that may lack it. No figure here
needs it.
"""

import contextlib
import os
import sys

if (named := os.environ.get("MPLBACKEND")) and "matplotlib" not in sys.modules:
    del os.environ["MPLBACKEND"]
    import matplotlib

    os.environ["MPLBACKEND"] = named
    with contextlib.suppress(ValueError):
        matplotlib.rcParams["backend"] = named
