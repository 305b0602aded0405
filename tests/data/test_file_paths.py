import os

import numpy as np

from classifiers.data.file_paths import FilePaths

PATHS = FilePaths.of("/photos", ["dark/1.png", "light/é.png", "/elsewhere/x.png", os.fsdecode(b"dark/\xff.png")])


def test_paths_are_joined_when_they_are_asked_for() -> None:
    joined = ["/photos/dark/1.png", "/photos/light/é.png", "/elsewhere/x.png", os.fsdecode(b"/photos/dark/\xff.png")]
    assert list(PATHS) == joined
    assert [PATHS[index] for index in range(len(PATHS))] == joined
    assert list(PATHS[np.array([2, 0])]) == [joined[2], joined[0]]
    assert list(PATHS[1:3] + PATHS[:1]) == [joined[1], joined[2], joined[0]]


def test_a_path_takes_a_byte_a_character() -> None:
    assert FilePaths.of("/photos", ["dark/1.png"] * 1000).below.nbytes == 10_000
