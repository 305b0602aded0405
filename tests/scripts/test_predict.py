import csv
import os
import pickle
import signal
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from torch import Tensor

from classifiers.inference import prediction
from classifiers.inference.predictions_csv import PredictionsCSV
from tests.conftest import SMALL, Fails, Script
from tests.processes import finished, start
from tests.small_models import saved, synthetic

HEADER = "file,class,pattern 0,pattern 1,pattern 2,pattern 3"


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    return saved(tmp_path / "x.ckpt")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three of the synthetic test images as files."""
    (tmp_path / "images").mkdir()
    for index, image in enumerate(synthetic().load(train=False)[0][:3]):
        Image.fromarray(image[0].numpy()).save(tmp_path / f"images/{index}.png")
    return tmp_path / "images"


def test_it_prints_files_classes_and_probabilities(script: Script, checkpoint: Path, folder: Path) -> None:
    lines = script("predict.py", str(checkpoint), str(folder), "--top=9").splitlines()
    assert [line.split("  ")[0] for line in lines] == [f"{folder}/{index}.png" for index in range(3)]
    for line in lines:
        shares = [float(word.rstrip("%")) for word in line.split() if word.endswith("%")]
        assert sorted(shares, reverse=True) == shares
        assert sum(shares) == pytest.approx(100, abs=0.03)
        assert len(shares) == line.count("pattern") == 4
    (line,) = script("predict.py", str(checkpoint), str(folder / "1.png"), "--top=1").splitlines()
    assert lines[1].startswith(line)


def test_it_writes_all_probabilities(script: Script, checkpoint: Path, folder: Path, tmp_path: Path) -> None:
    script("predict.py", str(checkpoint), str(folder), f"--csv={tmp_path / 'new/x.csv'}", "--device=cpu")
    header, *rows = (tmp_path / "new/x.csv").read_text().splitlines()
    assert header == HEADER
    assert [row.split(",")[0] for row in rows] == [f"{folder}/{index}.png" for index in range(3)]
    for row in rows:
        _, name, *shares = row.split(",")
        best = max(range(4), key=lambda label: float(shares[label]))
        assert name == f"pattern {best}"
        assert sum(map(float, shares)) == pytest.approx(1, abs=1e-5)


def test_bad_images_are_listed_and_the_rest_done(
    script: Script, checkpoint: Path, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "1.png").write_bytes(b"hello")
    (tmp_path / "empty").mkdir()
    with pytest.raises(SystemExit) as exit_info:
        script("predict.py", str(checkpoint), str(folder), "no.png", str(tmp_path / "empty"), "--csv=x.csv")
    assert exit_info.value.code == 2
    printed = capsys.readouterr()
    assert [line.split()[0] for line in printed.out.splitlines()] == [f"{folder}/0.png", f"{folder}/2.png"]
    assert printed.err.splitlines() == [
        f"error: there is no image in {tmp_path / 'empty'}: put some there, or leave it out",
        f"error: {folder}/1.png is no AVIF, BMP, GIF, JPEG, JPEG2000, PNG, PPM, TIFF or WEBP image",
        "error: there is no file no.png",
        "error: 3 could not be classified, 2 could",
    ]
    assert [row.split(",")[0] for row in Path("x.csv").read_text().splitlines()[1:]] == [
        f"{folder}/0.png",
        f"{folder}/2.png",
    ]


NAMES = {  # as they are, and as they are printed
    b"\xff, a shirt.png": r"\xff, a shirt.png",
    b"two\nlines.png": r"two\nlines.png",
    b"\x1b[2Ja\x07.png": r"\x1b[2Ja\x07.png",
    "gnp.\u202ephoto.png".encode(): r"gnp.\u202ephoto.png",
    "Schuh ä 鞋.png".encode(): "Schuh ä 鞋.png",
}


@pytest.mark.parametrize("name", NAMES)
def test_a_file_name_may_be_any_bytes(
    name: bytes, script: Script, checkpoint: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """They are printed so that a terminal obeys none of them, and are as they are in a table."""
    (folder / "0.png").rename(folder / os.fsdecode(name))
    (folder / os.fsdecode(b"no image " + name)).touch()
    with pytest.raises(SystemExit):
        script("predict.py", str(checkpoint), str(folder), "--csv=x.csv")
    printed = capsys.readouterr()
    assert f"{folder}/{NAMES[name]}" in [line.partition("  pattern")[0].rstrip() for line in printed.out.splitlines()]
    (line, _) = printed.err.splitlines()
    assert line.startswith(f"error: {folder}/no image {NAMES[name]} is no AVIF, ")
    assert os.fsencode(folder) + b"/" + name in Path("x.csv").read_bytes()
    with Path("x.csv").open(newline="", errors="surrogateescape") as file:
        assert f"{folder}/{os.fsdecode(name)}" in [row[0] for row in csv.reader(file)]


def test_a_class_name_of_a_stranger_is_printed_so_too(script: Script, folder: Path) -> None:
    names = ["\x1b[31m", "b", "c", "d"]
    printed = script("predict.py", str(saved(Path("x.ckpt"), class_names=names)), str(folder), "--top=4")
    assert printed.count(r" \x1b[31m ") == 3
    assert "\x1b" not in printed


def test_letters_that_the_output_lacks_are_spelt(
    script: Script, checkpoint: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "0.png").rename(folder / "ä.png")
    with Path("out").open("w", encoding="ascii") as out:
        monkeypatch.setattr("sys.stdout", out)
        script("predict.py", str(checkpoint), str(folder))
    assert r"/\xe4.png  pattern " in Path("out").read_text()


def signal_while_a_row_is_written(number: signal.Signals) -> None:
    write = PredictionsCSV.write

    def signalling(table: PredictionsCSV, what: Sequence[object], *further: Any) -> None:
        if str(what[0]).endswith("/0005.png"):
            signal.raise_signal(number)
        write(table, what, *further)

    PredictionsCSV.write = signalling  # type: ignore[method-assign]


def signal_while_images_are_read(number: signal.Signals) -> None:
    read = prediction.read_image

    def signalling(path: str | Path, *how: Any) -> Tensor:
        if str(path).endswith("/0130.png"):
            os.kill(os.getpid(), number)
        return read(path, *how)

    prediction.read_image = signalling


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize(
    ("before", "count", "options"),
    [
        (signal_while_a_row_is_written, 6, ["--csv=x.csv"]),
        (signal_while_images_are_read, 128, ["--csv=x.csv"]),
        (signal_while_images_are_read, 128, []),
    ],
)
def test_what_is_classified_when_it_is_stopped_is_kept(
    before: Callable[[signal.Signals], None],
    count: int,
    options: list[str],
    number: signal.Signals,
    code: int,
    checkpoint: Path,
    tmp_path: Path,
) -> None:
    (tmp_path / "many").mkdir()
    for index in range(140):
        Image.new("L", (16, 16), index).save(f"many/{index:04}.png")
    running = start(tmp_path, "predict-files", "x.ckpt", "many", *options, before=partial(before, number))
    assert running.wait() == code, running.err
    assert running.err == f"stopped: {count} of 140 are classified{', and in x.csv' if options else ''}\n"
    names = [f"many/{index:04}.png" for index in range(count)]
    assert [line.split()[0] for line in running.out.splitlines()] == names
    if options:
        with Path("x.csv").open(newline="") as file:
            header, *rows = csv.reader(file)
        assert ",".join(header) == HEADER
        assert [(row[0], len(row)) for row in rows] == [(name, 6) for name in names]
    assert list(tmp_path.glob("*.partial")) == []


PARTS = """
import torch
from torch import nn


class Parabola(nn.Module):
    def forward(self, images):
        return images**2


class TinyNet(nn.Sequential):
    def __init__(self, in_channels: int, image_size: int, num_classes: int, act: nn.Module):
        super().__init__(nn.Flatten(), nn.Linear(in_channels * image_size**2, 4), act, nn.Linear(4, num_classes))


class Weighted(nn.CrossEntropyLoss):
    def __init__(self):
        super().__init__(torch.ones(4))


class Slow(torch.optim.SGD):
    pass
"""


def test_a_fit_of_parts_of_ones_own_is_used(tmp_path: Path) -> None:
    """They stand in a file of the current folder, which is none of those that Python looks into by itself."""
    Path("parts.py").write_text(PARTS)
    options = {"net": "TinyNet", "net.act": "Parabola", "loss": "Weighted", "optimizer": "Slow"}
    model = [f"--model.{name}=parts.{part}" for name, part in options.items()]
    others = [option for option in SMALL if not option.startswith("--model")]
    finished(tmp_path, "fit", *others, *model, "--model.optimizer.lr=0.1", "--trainer.default_root_dir=runs")
    (run,) = Path("runs").glob("*/*")
    checkpoint = f"{run}/checkpoints/best.ckpt"
    Image.new("L", (16, 16)).save("x.png")

    refused = start(tmp_path, "predict-files", checkpoint, "x.png")
    assert refused.wait() == 2
    reason = "which is no imported net, loss, optimizer or schedule: if you trust it,"
    assert refused.err == f"error: {checkpoint} names parts.Parabola, {reason} name it with --net parts.Parabola\n"
    trusted = ["--net=parts.Parabola", "--net=parts.TinyNet"]
    assert finished(tmp_path, "predict-files", checkpoint, "x.png", *trusted).out.startswith("x.png  pattern ")
    assert finished(tmp_path, "export", checkpoint, "x.pt2", *trusted).out.startswith("x.pt2 maps uint8 pixels ")

    test = [f"--ckpt_path={checkpoint}", "--trainer.enable_progress_bar=false"]
    refused = start(tmp_path, "test", *others, *test)
    assert refused.wait() == 2
    cure = "give its run's config.yaml first, with --config"
    assert refused.err == f"error: {checkpoint} names parts.Parabola, {reason} {cure}\n"
    assert "test/acc" in finished(tmp_path, "test", f"--config={run}/config.yaml", *test).out


class Hostile:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("touch ran",)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["x.ckpt", "no.png"], "there is no file no.png"),
        (["x.ckpt", "empty"], "there is no image in empty: put some there, or leave it out"),
        (["no.ckpt", "0.png"], "there is no checkpoint no.ckpt"),
        (["hostile.ckpt", "0.png"], "hostile.ckpt is no checkpoint, or a damaged one"),
        (["pickle.ckpt", "0.png"], "pickle.ckpt is no checkpoint, or a damaged one"),
        (["x.ckpt", "0.png", "--top=0"], "--top is 0: it must be at least 1"),
        (["x.ckpt", "0.png", "--csv=x.ckpt/x.csv"], "can't write x.ckpt/x.csv (File exists): give another --csv"),
        (["x.ckpt", "0.png", "--device=gpu"], "there is no device gpu here: --device auto works anywhere"),
        (["x.ckpt", "0.png", "--tops=3"], "unknown option --tops: did you mean --top?"),
    ],
)
def test_a_mistake_is_one_line(
    arguments: list[str], line: str, script: Script, checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("empty").mkdir()
    torch.save({"state_dict": {}, "hyper_parameters": Hostile()}, "hostile.ckpt")
    Path("pickle.ckpt").write_bytes(pickle.dumps(Hostile()))
    before = sorted(Path.cwd().iterdir())
    with pytest.raises(SystemExit) as exit_info:
        script("predict.py", *arguments)
    assert exit_info.value.code == 2
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", f"error: {line}\n")
    assert sorted(Path.cwd().iterdir()) == before


def test_several_checkpoints_say_the_mean(script: Script, checkpoint: Path, folder: Path, tmp_path: Path) -> None:
    content = torch.load(checkpoint, weights_only=True)
    content["state_dict"]["net.head.bias"] += torch.tensor([3.0, 0.0, 0.0, 0.0])
    torch.save(content, tmp_path / "y.ckpt")
    rows = []
    for name, given in (
        ("one", [str(checkpoint), str(folder)]),
        ("other", [str(tmp_path / "y.ckpt"), str(folder)]),
        ("both", [str(checkpoint), str(folder), "--also", str(tmp_path / "y.ckpt")]),
    ):
        script("predict.py", *given, "--device=cpu", f"--csv={tmp_path}/{name}.csv")
        with (tmp_path / f"{name}.csv").open(newline="") as file:
            _, *found = csv.reader(file)
        rows.append(torch.tensor([[float(share) for share in row[2:]] for row in found]))
    assert torch.allclose(rows[2], (rows[0] + rows[1]) / 2, atol=1e-5)
    assert (rows[0] - rows[1]).abs().max() > 0.1


@pytest.mark.parametrize("option", ["--explain", "--features"])
def test_what_is_of_one_checkpoint_is_one_line(option: str, checkpoint: Path, folder: Path, fails: Fails) -> None:
    given = [str(checkpoint), str(folder), "--also", str(checkpoint), option, "new"]
    assert fails("predict-files", *given) == f"error: {option} is of one checkpoint: leave --also out"
