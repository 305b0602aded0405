"""The index of images that were decoded: which files they are of, and what else was seen of these."""

import io
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import numpy as np
import PIL
from numpy.typing import NDArray

from classifiers.data.file_states import FileStates
from classifiers.experiment.files import replacing

VERSION = f"1, Pillow {PIL.__version__}"  # whose decoders may round otherwise than another's
DIGEST = 32  # bytes, before the arrays


@dataclass(frozen=True)
class DecodedIndex:
    """Of files in the state in which they were decoded.

    Args:
        states: which files, and their states; row by row as their images.
        samples: of each `(N,)` what `sampled` says, nothing of one that can't be read.
        failures: why some can't be read, by their rows.
    """

    states: FileStates
    samples: NDArray[np.bytes_]
    failures: dict[int, str]

    def rows(self, names: NDArray[np.bytes_]) -> NDArray[np.int64]:
        """Those of the `names` `(M,)`, all of which are in here."""
        return np.searchsorted(self.states.names, names)

    def write(self, path: Path) -> None:
        """Put it at `path`, as a whole or not at all, behind a digest of all of it."""
        content = io.BytesIO()
        np.savez(
            content,
            version=VERSION,
            names=self.states.names,
            sizes=self.states.sizes,
            times=self.states.times,
            samples=self.samples,
            failed=np.array([*self.failures], np.int64),
            reasons=np.array([*self.failures.values()], np.str_),
        )
        with replacing(path) as file:
            file.write(blake2b(content.getbuffer(), digest_size=DIGEST).digest())
            file.write(content.getbuffer())

    @classmethod
    def read(cls, path: Path) -> "DecodedIndex":
        """The one at `path`.

        Raises:
            OSError: it can't be read.
            ValueError: it is damaged, or of another version.
        """
        content = path.read_bytes()
        if blake2b(content[DIGEST:], digest_size=DIGEST).digest() != content[:DIGEST]:
            raise ValueError("damaged")
        with np.load(io.BytesIO(content[DIGEST:])) as found:
            if str(found["version"]) != VERSION:
                raise ValueError(f"of version {found['version']}")
            failures = dict(zip(found["failed"].tolist(), found["reasons"].tolist(), strict=True))
            states = FileStates(found["names"], found["sizes"], found["times"])
            return cls(states, found["samples"], failures)
