import os
from pathlib import Path

import pytest
import torch

from tests.conftest import Script
from tests.small_models import saved


class Hostile:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("touch ran",)


@pytest.mark.parametrize("ending", ["onnx", "pt2"])
def test_it_writes_and_checks(ending: str, script: Script, tmp_path: Path) -> None:
    if ending == "onnx":
        pytest.importorskip("onnxscript")
    checkpoint, out = saved(tmp_path / "x.ckpt"), tmp_path / f"new/x.{ending}"
    first, picture, second = script("export.py", str(checkpoint), str(out)).splitlines()
    assert first == f"{out} maps uint8 pixels (B, 1, 16, 16) to probabilities (B, 4)"
    how = "upright by its EXIF data, on white, L in sRGB, resized to 16 × 16 (bilinear, antialiased)"
    assert picture == f"of a picture: {how}; its metadata say how"
    assert second.startswith("largest difference from PyTorch on 1,000 images of noise: ")
    assert float(second.split()[-1]) < 1e-5
    assert [path.name for path in (tmp_path / "new").iterdir()] == [out.name]


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["x.ckpt", "x.tflite"], "can't export to x.tflite: its name must end in .onnx or .pt2"),
        (["x.ckpt", "x.ckpt/x.pt2"], "can't write x.ckpt/x.pt2 (File exists): give another name"),
        (["no.ckpt", "x.pt2"], "there is no checkpoint no.ckpt"),
        (
            ["old.ckpt", "x.pt2"],
            "old.ckpt doesn't hold its image_shape and class_names, as older ones don't: fit again",
        ),
        (["hostile.ckpt", "x.pt2"], "hostile.ckpt is no checkpoint, or a damaged one"),
        (["x.ckpt"], "the following arguments are required: out"),
    ],
)
def test_a_mistake_is_one_line(
    arguments: list[str], line: str, script: Script, capsys: pytest.CaptureFixture[str]
) -> None:
    saved(Path("x.ckpt"))
    saved(Path("old.ckpt"), image_shape=None)
    torch.save({"state_dict": {}, "hyper_parameters": Hostile()}, "hostile.ckpt")
    before = sorted(Path.cwd().iterdir())
    with pytest.raises(SystemExit) as exit_info:
        script("export.py", *arguments)
    assert exit_info.value.code == 2
    assert capsys.readouterr().err == f"error: {line}\n"
    assert sorted(Path.cwd().iterdir()) == before
