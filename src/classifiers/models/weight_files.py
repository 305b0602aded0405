"""State dicts: in files, and in nets that they are of."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from classifiers.experiment.checkpoints.reading import read_content, tensors
from classifiers.experiment.errors import UserError, one_line
from classifiers.experiment.paths import at_home


def is_file(weights: str) -> bool:
    """Whether that is the path of a file, and no name such as `DEFAULT` or `IMAGENET1K_V1`."""
    return not re.fullmatch("[A-Z][A-Z0-9_]*", weights)


def read_weights(weights: str) -> dict[str, Tensor]:
    """The state dict in a file of torch's or of safetensors'; of torch's also where it is one part of what is there.

    Raises:
        UserError: no such file, a damaged one, or one that holds no weights.
    """
    path = at_home(weights)
    if not path.is_file():
        raise UserError(f"there is no file {path}")
    content: dict[str, Any] = _read_safetensors(path) if path.suffix == ".safetensors" else read_content(path)
    for part in ("state_dict", "model"):
        content = content[part] if isinstance(content.get(part), dict) else content
    return tensors(content)


def fill(net: nn.Module, weights: dict[str, Tensor], heads: Sequence[str], source: str) -> None:
    """Give a net without a head all `weights` but those whose names begin as one of `heads`.

    Raises:
        UserError: they are of another net; it says so by `source`.
    """
    own = tensors(dict(net.state_dict()))
    theirs = {name: value for name, value in weights.items() if not name.startswith(tuple(heads))}
    shapes, found = ({name: tuple(value.shape) for name, value in some.items()} for some in (own, theirs))
    wrong = [name for name in (*shapes, *(found.keys() - shapes)) if shapes.get(name) != found.get(name)]
    if wrong:
        differ = [f"{name} is {found.get(name, 'absent')}, not {shapes.get(name, 'absent')}" for name in wrong[:3]]
        raise UserError(f"{source}: {len(wrong)} of its weights differ, first {'; '.join(differ)}")
    net.load_state_dict(theirs)


def _read_safetensors(path: Path) -> dict[str, Any]:
    try:
        from safetensors.torch import load_file
    except ModuleNotFoundError as error:
        raise UserError(f"{path} needs safetensors: python -m pip install safetensors") from error
    try:
        return dict(load_file(path))
    except Exception as error:  # safetensors' own, of no common base
        raise UserError(f"{path} is no file of weights, or a damaged one ({one_line(error)})") from error
