"""What `sweep.py` does: the space of settings, the study that many processes can share, the fits of its trials."""

import sys
from importlib.util import find_spec

if find_spec("optuna") is None:
    print("error: a sweep needs Optuna: python -m pip install -e '.[sweep]'", file=sys.stderr)
    sys.exit(2)
