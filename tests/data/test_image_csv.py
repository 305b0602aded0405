import csv
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import torch

from classifiers import CsvDataModule, load_classifier
from classifiers.cli import main
from classifiers.data.image_files import read_image
from classifiers.data.inspection import inspect_data
from classifiers.experiment.errors import UserError
from tests.conftest import SMALL, Fails, Script
from tests.experiment.checkpoints.test_resume import content, differences, run_of
from tests.photos import write_photos

STREAMED = {"memory_limit": 0, "cache": False, "num_workers": 2}
KINDS = pytest.mark.parametrize("streamed", [{}, STREAMED], ids=["in memory", "streamed"])
PARTS = ["train"] * 6 + ["val", "test"]


def write_table(file: Path, rows: Iterable[Iterable[str]], delimiter: str = ",") -> Path:
    with file.open("w", newline="") as text:
        csv.writer(text, delimiter=delimiter).writerows(rows)
    return file


@pytest.fixture
def photos(tmp_path: Path) -> list[list[str]]:
    """The paths and classes of 80 photos below the folder `photos`."""
    root = write_photos(tmp_path / "photos", 40)
    return [[path.relative_to(root).as_posix(), path.parent.name] for path in sorted(root.rglob("*.*"))]


@pytest.fixture
def table(photos: list[list[str]]) -> Path:
    """Of these, of which every eighth is to validate and to test on."""
    rows = [[*photo, PARTS[index % 8]] for index, photo in enumerate(photos)]
    return write_table(Path("photos/table.csv"), [["path", "label", "split"], *rows])


def made(file: Path, **arguments: Any) -> CsvDataModule:
    data = CsvDataModule(file, **{"image_size": 12, "batch_size": 16, **arguments})
    data.setup("fit")
    data.setup("test")
    return data


@KINDS
def test_each_row_is_an_image_of_its_class_and_part(table: Path, streamed: dict[str, Any]) -> None:
    data = made(table, **streamed)
    assert (data.class_names, data.image_shape) == (("dark", "light"), (3, 12, 12))
    assert inspect_data(data).per_class == {"train": [30, 30], "val": [5, 5], "test": [5, 5]}
    with table.open() as text:
        rows = [row for row in csv.DictReader(text) if row["split"] == "test"]
    assert data.test_paths.tolist() == [f"photos/{row['path']}" for row in rows]
    images, labels = data.test_set.first(99)
    assert torch.equal(images, torch.stack([read_image(path, (3, 12, 12)) for path in data.test_paths]))
    assert [data.class_names[label] for label in labels] == [row["label"] for row in rows]


def test_without_parts_images_are_held_out_whatever_their_order(photos: list[list[str]]) -> None:
    data = made(write_table(Path("photos/x.csv"), [["path", "label"], *photos]), test_size=0.2)
    found = inspect_data(data)
    assert sum(found.sizes.values()) == 80
    assert min(found.per_class["val"] + found.per_class["test"]) > 0
    other = made(write_table(Path("y.csv"), [["label", "path"], *(row[::-1] for row in photos[::-1])]),
                 root="photos", test_size=0.2)  # fmt: skip
    assert [set(other.known(part).tolist()) for part in found.sizes] == [
        set(data.known(part).tolist()) for part in found.sizes
    ]


def test_any_usual_table_and_names(photos: list[list[str]], tmp_path: Path) -> None:
    names = {"train": "Training", "val": "dev", "test": "TEST"}
    rows = [[f" {tmp_path}/photos/{path}", "x;y\tz, quoted", f"{label} ", names[PARTS[index % 8]]]
            for index, (path, label) in enumerate(photos)]  # fmt: skip
    for delimiter in ",;\t":
        file = write_table(Path("x.csv"), [["image", "notes", "kind", "fold"], *rows, []], delimiter)
        file.write_text("\ufeff" + file.read_text())
        data = made(file, path="image", label="kind", split="fold")
        assert data.class_names == ("dark", "light")
        assert inspect_data(data).sizes == {"train": 60, "val": 10, "test": 10}


def test_classes_are_those_of_training_in_the_order_of_their_names(photos: list[list[str]]) -> None:
    rows = [[path, name, part] for (path, _), name, part in
            zip(photos, ["b", "a", "c", "b", "a"], ["train"] * 4 + ["test"], strict=False)]  # fmt: skip
    data = made(write_table(Path("photos/x.csv"), [["path", "label", "split"], *rows]), val_size=1)
    assert data.class_names == ("a", "b", "c")
    assert inspect_data(data).per_class["test"] == [1, 0, 0]


FIT = ["fit", *(option for option in SMALL if not option.startswith("--data"))]
DATA = ["--data=CsvDataModule", "--data.file=photos/table.csv", "--data.image_size=16", "--data.batch_size=16"]


def test_a_fit_goes_on_and_predicts_by_the_table(
    table: Path, tmp_path: Path, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    main([*FIT, *DATA, "--trainer.default_root_dir=runs"])
    run = run_of(tmp_path)
    main(
        [
            *FIT,
            *DATA,
            "--trainer.default_root_dir=streamed/runs",
            "--data.memory_limit=0",
            "--data.cache=false",
            "--data.num_workers=2",
        ]
    )
    assert differences(content(run), content(run_of(tmp_path / "streamed"))) == []
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    main(["fit", f"--resume={run}", "--trainer.max_epochs=3"])
    assert json.loads((run / "metrics.json").read_text())["epochs"] == 3
    checkpoint = run / "checkpoints/best.ckpt"
    main(["predict", f"--config={run}/config.yaml", f"--ckpt_path={checkpoint}", "--predictions=x.csv"])
    with Path("x.csv").open() as text:
        rows = [*csv.DictReader(text)]
    assert len(rows) == 10
    assert all(Path(row["file"]).parent.name == row["true"] for row in rows)
    assert load_classifier(checkpoint).class_names == ("dark", "light")
    printed = script("inspect_data.py", f"--config={run}/config.yaml", f"--out={tmp_path / 'grid.png'}")
    assert re.search(r"dark +│ 30 +│ 5 +│ 5 ", printed)


def test_unreadable_and_missing_images_are_left_out_if_that_is_asked_for(table: Path, tmp_path: Path) -> None:
    Path("photos/dark/000.png").unlink()
    Path("photos/light/001.jpg").write_bytes(b"")
    with pytest.raises(UserError, match="^1 of the 80 files in .*the first is photos/dark/000.png: relative paths"):
        CsvDataModule(table)
    data = made(table, skip_unreadable=True)
    assert sum(inspect_data(data).sizes.values()) == 78
    assert data.panel_rows()["left out"] == f"2 unreadable, as in {tmp_path}/unreadable_images.txt"


def test_a_class_that_a_part_lacks_is_no_unreadable_one(photos: list[list[str]]) -> None:
    rows = [[*photo, "train"] for photo in photos[1:]] + [[*photos[0], "test"]]
    data = made(write_table(Path("photos/x.csv"), [["path", "label", "split"], *rows]), skip_unreadable=True)
    assert inspect_data(data).per_class["test"] == [1, 0]


def rows(*lines: str) -> bytes:
    return "\n".join(("path,label,split", *lines)).encode()


GOOD = ["dark/000.png,dark,train", "light/000.png,light,train"]


@pytest.mark.parametrize(
    ("content", "options", "line"),
    [
        (b"", [], "FILE has no row below the names of its columns"),
        (rows(), [], "FILE has no row below the names of its columns"),
        (b"image,kind\na.png,cat", [], "FILE has no column path but image, kind: choose one by --data.path"),
        (b"path,kind\na.png,cat", [], "FILE has no column label but path, kind: choose one by --data.label"),
        (rows(*GOOD), ["--data.split=fold"], "FILE has no column fold but path, label, split: choose one by --data.sp"),
        (rows(GOOD[0]), [], "FILE needs two or more classes to train on, and has dark alone"),
        (rows("dark/000.png,dark,test"), [], "FILE needs two or more classes to train on, and has none"),
        (rows(*GOOD, "dark/001.jpg,emu,test"), [], "line 4 of FILE is of emu, which no row of train is"),
        (rows(*GOOD, "dark/001.jpg,dark,holdout"), [], "line 4 of FILE has the split holdout: it must be train, val"),
        (rows(*GOOD, "dark/001.jpg,dark,"), [], "line 4 of FILE has the split left empty: it must be train, val or te"),
        (rows(*GOOD, "dark/001.jpg"), [], "line 4 of FILE has no label: fill it in, or leave the line out"),
        (rows(*GOOD, " ,dark,train"), [], "line 4 of FILE has no path: fill it in, or leave the line out"),
        (rows(*GOOD, "a,b.png,dark,train"), [], "line 4 of FILE has 4 cells for 3 columns: quote what holds a comma"),
        (rows(*GOOD, "./dark/../dark/000.png,dark,test"), [], "line 4 of FILE has dark/000.png again, after line 2: l"),
        (rows(*GOOD, "a.png,dark,train"), [], "1 of the 3 files in FILE aren't there, the first is ROOT/a.png: relati"),
        (rows(*GOOD), ["--data.root=photos/dark"], "2 of the 2 files in FILE aren't there, the first is ROOT/dark/dar"),
        (rows(*GOOD, '"a.png,dark,train'), [], "FILE is no CSV file: unexpected end of data"),
        (rows(*GOOD, "märz.png,dark,train").decode().encode("latin1"), [], "FILE is no text in UTF-8: save it as that"),
    ],
)
def test_a_mistake_in_the_table_is_one_line(
    content: bytes, options: list[str], line: str, table: Path, fails: Fails
) -> None:
    table.write_bytes(content)
    expected = line.replace("FILE", str(table.absolute())).replace("ROOT", str(table.parent.absolute()))
    assert fails(*FIT, *DATA, *options).startswith(f"error: {expected}")


def test_a_table_that_is_not_there_is_one_line(fails: Fails, tmp_path: Path) -> None:
    where = f"error: can't read the table {tmp_path}/x.csv of --data.file "
    assert fails("fit", "--data=CsvDataModule", "--data.file=x.csv") == f"{where}(No such file or directory)"
    Path("x.csv").mkdir()
    assert fails("fit", "--data=CsvDataModule", "--data.file=x.csv") == f"{where}(Is a directory)"
    assert "file" in fails("fit", "--data=CsvDataModule")
