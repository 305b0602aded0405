"""Your own images: a table that names their files and classes."""

import csv
import io
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from classifiers.data.class_folders import PARTS
from classifiers.data.file_data_module import FileDataModule
from classifiers.data.file_paths import FilePaths
from classifiers.data.files import Files, Found
from classifiers.experiment.errors import UserError, one_line
from classifiers.experiment.paths import at_home


class Row(NamedTuple):
    """Of a table: the number of its line there, and what its columns hold."""

    line: int
    path: str
    label: str
    part: str


class CsvDataModule(FileDataModule):
    """Image files that the rows of a table name, with their classes and, where they are given, their parts.

    Args:
        file: the table: text in UTF-8, with the names of its columns in the first line, and commas, semicolons or tabs
            in between.
        root: the folder that relative paths start from; None means that of the table.
        path: name of the column of paths.
        label: of the column of classes.
        split: of the column of parts, `train`, `val` or `test`; a table that has none is `train` as a whole.
        kwargs: options of all image files.

    Raises:
        UserError: no such table or column; cells that are empty or too many; a path that is there twice, or leads to no
            file; a part of another name; fewer than two classes, or one without images to train on; unreadable images.
    """

    def __init__(
        self,
        file: str | Path,
        root: str | Path | None = None,
        path: str = "path",
        label: str = "label",
        split: str = "split",
        **kwargs: Any,
    ) -> None:
        self.file, self.columns = at_home(file), (path, label, split)
        super().__init__(root or self.file.parent, **kwargs)

    @property
    def source(self) -> Path:
        return self.file

    def find(self) -> Found:
        rows = read_rows(self.file, self.columns)
        names = [os.path.normpath(row.path) for row in rows]
        paths = [os.path.join(self.root, name) for name in names]  # noqa: PTH118  # of many: it is the fastest
        self._require_once(rows, names)
        missing = [path for path in paths if not os.path.isfile(path)]  # noqa: PTH113  # likewise
        if missing and not self.skip_unreadable:
            count = f"{len(missing):,} of the {len(paths):,} files in {self.file} aren't there"
            raise UserError(f"{count}, the first is {missing[0]}: relative paths start from --data.root")
        classes = sorted({row.label for row in rows if row.part == "train"})
        if len(classes) < 2:
            has = f"{classes[0]} alone" if classes else "none"
            raise UserError(f"{self.file} needs two or more classes to train on, and has {has}")
        labels = {name: label for label, name in enumerate(classes)}
        if strange := next((row for row in rows if row.label not in labels), None):
            raise UserError(f"line {strange.line} of {self.file} is of {strange.label}, which no row of train is")
        files = Files(FilePaths.of(str(self.root), names), torch.tensor([labels[row.label] for row in rows]))
        parts = np.array([row.part for row in rows])
        found = {part: files[torch.from_numpy(np.flatnonzero(parts == part))] for part in PARTS if part in parts}
        return tuple(classes), found, Counter()

    def _require_once(self, rows: Sequence[Row], names: Sequence[str]) -> None:
        lines: dict[str, int] = {}
        for row, name in zip(rows, names, strict=True):
            if (first := lines.setdefault(name, row.line)) != row.line:
                raise UserError(f"line {row.line} of {self.file} has {name} again, after line {first}: leave one out")


def read_rows(file: Path, columns: Sequence[str]) -> list[Row]:
    """The rows of a table that has these `columns` of paths, labels and parts; without the last, all are `train`.

    Raises:
        UserError: it can't be read, lacks a column or a cell, or names a part that is none.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
        delimiter = max(",;\t", key=text.partition("\n")[0].count)
        reader = csv.reader(io.StringIO(text), delimiter=delimiter, strict=True)
        lines = [(reader.line_num, [cell.strip() for cell in cells]) for cells in reader if any(cells)]
    except OSError as error:
        raise UserError(f"can't read the table {file} of --data.file ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{file} is no text in UTF-8: save it as that") from error
    except csv.Error as error:
        raise UserError(f"{file} is no CSV file: {one_line(error)}") from error
    if len(lines) < 2:
        raise UserError(f"{file} has no row below the names of its columns")
    names = lines[0][1]
    for option, name in zip(("path", "label", "split"), columns, strict=True):
        if name not in names and (option, name) != ("split", "split"):
            raise UserError(f"{file} has no column {name} but {', '.join(names)}: choose one by --data.{option}")
    return [Row(line, *_cells(f"line {line} of {file}", names, cells, columns)) for line, cells in lines[1:]]


def _cells(where: str, names: Sequence[str], cells: Sequence[str], columns: Sequence[str]) -> tuple[str, str, str]:
    """Those of the `columns` among all `cells` of a row, under their `names`; the last as one of `PARTS`."""
    if any(cells[len(names) :]):
        raise UserError(f"{where} has {len(cells)} cells for {len(names)} columns: quote what holds a comma")
    named = dict(zip(names, cells, strict=False))
    path, label, part = (named.get(name, "") for name in columns)
    if not (path and label):
        raise UserError(f"{where} has no {columns[1] if path else columns[0]}: fill it in, or leave the line out")
    if columns[2] not in names:
        return path, label, "train"
    found = next((name for name, others in PARTS.items() if part.lower() in others), None)
    if found is None:
        raise UserError(f"{where} has the {columns[2]} {part or 'left empty'}: it must be train, val or test")
    return path, label, found
