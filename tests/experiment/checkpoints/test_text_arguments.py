import sys
from typing import Any

from torch import nn

from classifiers.experiment.checkpoints.text_arguments import imported, without_texts


class Net(nn.Module):
    def __init__(self, text: str, perhaps: str | None = None, other: Any = None) -> None:
        super().__init__()


def test_what_a_class_takes_as_text_is_left_out() -> None:
    path = f"{__name__}.Net"
    sys.modules[__name__].Net = Net  # type: ignore[attr-defined]
    inner = {"class_path": path, "init_args": {"text": "a.b", "perhaps": "c.d", "other": "e.f"}}
    left = {"class_path": path, "init_args": {"other": "e.f"}}
    assert without_texts({"net": inner, "nets": [inner]}) == {"net": left, "nets": [left]}


def test_of_a_class_that_is_not_imported_all_is_kept() -> None:
    unknown = {"class_path": "antigravity.Net", "init_args": {"text": "a.b"}}
    assert without_texts(unknown) == unknown
    assert imported("antigravity.Net") is None
    assert "antigravity" not in sys.modules
