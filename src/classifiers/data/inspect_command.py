"""Show a data set: inspect --data CIFAR10DataModule --data.val_size 0.2 --out cifar10.png"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import yaml
from rich.console import Console
from rich.table import Table
from rich.text import Text

from classifiers.data import ImageDataModule
from classifiers.data.coverage import scarce
from classifiers.data.findings import told, write_findings
from classifiers.data.inspection import inspect_data
from classifiers.experiment import ExperimentCLI
from classifiers.experiment.command.explain import missing_file
from classifiers.experiment.command.parser import StrictParser, make
from classifiers.experiment.errors import UserError, one_line
from classifiers.experiment.files import output_file
from classifiers.experiment.paths import project_root
from classifiers.experiment.terminal import printable
from classifiers.figures import labelled_grid


def show(data: ImageDataModule, out: Path) -> None:
    data.prepare_data()
    data.setup("fit")
    data.setup("test")
    found = inspect_data(data)
    table = Table("class", *(f"{name} ({size:,})" for name, size in found.sizes.items()), title=type(data).__name__)
    for label, name in enumerate(data.class_names):
        table.add_row(Text(printable(name)), *(f"{counts[label]:,}" for counts in found.per_class.values()))
    console = Console(highlight=False)
    console.print(table)
    for name, computed, constant in (("mean", found.mean, data.mean), ("std", found.std, data.std)):
        values = " ".join(f"{value:.4f}" for value in computed)
        agree = [round(value, 4) for value in computed] == [round(value, 4) for value in constant]
        quoted = " ".join(f"{value:.4f}" for value in constant)
        console.print(f"{name} {values} of the training images; the data module has {'the same' if agree else quoted}")
    remarks = dict.fromkeys(remark for part in found.sizes for remark in data.remarks(part))
    for line in (*remarks, *scarce(found.per_class["train"], data.class_names), *told(found.findings)):
        console.print(f"beware: {printable(line)}", markup=False, soft_wrap=True)
    listed = out.with_suffix(".findings.csv")
    listed.unlink(missing_ok=True)
    if found.findings:
        with output_file(listed, "another --out") as file:
            write_findings(file, found.findings)
        console.print(f"these images are in {listed}", soft_wrap=True)
    images, labels = data.augment(*data.train_set.first(64))
    with output_file(out, "another --out") as file:
        labelled_grid(images, labels, data.class_names).savefig(file, format="png", dpi=100)
    augmented = ", augmented," if data.augmentations else ""
    console.print(f"the first training images{augmented} are in {out}", soft_wrap=True)


def from_configs(arguments: Sequence[str]) -> Iterator[str]:
    """The `arguments`, with the `data` of its file in place of each `--config`.

    Raises:
        UserError: there is no such file, or it is no config.
    """
    given = iter(arguments)
    for argument in given:
        name, _, value = argument.partition("=")
        if name != "--config":
            yield argument
            continue
        path = Path(value or next(given, ""))
        if not path.is_file():
            raise UserError(missing_file(path))
        try:
            config = yaml.safe_load(path.read_text())
        except (UnicodeDecodeError, yaml.YAMLError) as error:
            raise UserError(f"{path} is no config: {one_line(error)}") from error
        if isinstance(config, dict) and config.get("data"):
            yield f"--data={json.dumps(config['data'])}"


def main(cli: type[ExperimentCLI], arguments: Sequence[str]) -> None:
    parser = StrictParser(prog=f"{cli.name} inspect", description=__doc__)
    parser.add_subclass_arguments(ImageDataModule, "data")
    parser.add_argument("--config", type=Path, help="config of a fit, of which the data counts")
    parser.add_argument("--out", type=Path | None, help="the PNG to write (default: runs/inspect/DATA.png)")
    parser.add_instantiator(make, object)
    given = parser.instantiate(parser.parse_args(["--data=FashionMNISTDataModule", *from_configs(arguments)]))
    name = type(given.data).__name__
    show(given.data, given.out or project_root() / "runs/inspect" / f"{name}.png")
