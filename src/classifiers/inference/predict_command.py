"""Classify image files: predict-files runs/…/checkpoints/best.ckpt shoe.jpg photos --csv classes.csv"""

import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress

from classifiers.classifier import ImageClassifier
from classifiers.data.image_search import find_images, told
from classifiers.experiment import ExperimentCLI
from classifiers.experiment.command.parser import StrictParser
from classifiers.experiment.errors import UserError, one_line
from classifiers.experiment.files import output_file
from classifiers.experiment.terminal import printable
from classifiers.experiment.training.stop_on_signal import exit_at_once
from classifiers.experiment.training.until_signal import UntilSignal
from classifiers.inference.checkpoint_options import add_checkpoint, load
from classifiers.inference.explanations import Explanations
from classifiers.inference.features import Features
from classifiers.inference.prediction import classify, require_alike
from classifiers.inference.predictions_csv import PredictionsCSV


def predict(models: Sequence[ImageClassifier], arguments: Any) -> None:
    """As the options of `main` say, the mean of what the `models` say."""
    model, csv, out = models[0], arguments.csv, arguments.features
    left_out = Counter[str]()
    failures: list[UserError] = []
    paths: list[Path] = []

    def fail(error: UserError) -> None:
        failures.append(error)
        print(f"error: {printable(one_line(error))}", file=sys.stderr)

    for path in arguments.images:
        try:
            paths += find_images(path, left_out)
        except UserError as error:
            fail(error)
    if left_out:
        print(f"left out: {printable(told(left_out))}", file=sys.stderr)
    class_names = [printable(name) for name in model.class_names]
    shown = {path: printable(str(path)) for path in paths}
    path_width, name_width = (max(map(len, names), default=0) for names in (shown.values(), class_names))
    classified, total = 0, len(paths) + len(failures)
    features = Features(model) if out else None
    explained = Explanations(model, arguments.explain, paths) if arguments.explain else None
    on_batch = [look for look in (features, explained) if look]
    with (
        UntilSignal(classify(models, paths, on_error=fail, on_batch=on_batch)) as found,
        output_file(csv, "another --csv") if csv else nullcontext() as file,
        output_file(out, "another --features") if out else nullcontext() as archive,
        progress(total) as bar,
    ):
        table = PredictionsCSV(file, ["file"], model.class_names) if file else None
        for path, probabilities in found:
            best = probabilities.topk(min(arguments.top, len(probabilities)))
            guesses = zip(best.indices.tolist(), best.values.tolist(), strict=True)
            line = "  ".join(f"{class_names[index]:{name_width}} {share:7.2%}" for index, share in guesses)
            print(f"{shown[path]:{path_width}}  {line}")
            if table:
                table.write([path], probabilities)
            classified += 1
            bar.update(bar.task_ids[0], completed=classified + len(failures))
        if features and archive:
            features.write(archive)
    if found.received is not None:
        print(f"stopped: {classified} of {total} are classified{f', and in {csv}' if csv else ''}", file=sys.stderr)
        exit_at_once(found.received)
    if failures:
        if classified or len(failures) > 1:
            print(f"error: {len(failures)} could not be classified, {classified} could", file=sys.stderr)
        sys.exit(2)


def progress(total: int) -> Progress:
    """A bar on the terminal for many images, under the lines that are printed there."""
    console = Console(stderr=True)
    columns = [*Progress.get_default_columns(), MofNCompleteColumn()]
    hidden = not console.is_terminal or total < 100
    bar = Progress(*columns, console=console, transient=True, redirect_stdout=sys.stdout.isatty(), disable=hidden)
    bar.add_task("", total=total)
    return bar


def main(cli: type[ExperimentCLI], arguments: Sequence[str]) -> None:
    parser = StrictParser(prog=f"{cli.name} predict-files", description=__doc__)
    add_checkpoint(parser)
    parser.add_argument(
        "images", nargs="+", type=Path, metavar="IMAGE_OR_FOLDER", help="a folder stands for all images below it"
    )
    parser.add_argument(
        "--also", nargs="+", type=Path, default=[], metavar="CHECKPOINT",
        help="further checkpoints of the same classes, such as those of other seeds or folds, to take the mean of",
    )  # fmt: skip
    parser.add_argument("--top", type=int, default=3, help="how many classes are printed of each")
    parser.add_argument("--csv", type=Path | None, help="file to write, with the probabilities of all classes")
    parser.add_argument("--explain", type=Path | None, help="folder to write into what speaks for the class of each")
    parser.add_argument("--features", type=Path | None, help="file to write, .npz, with what the net's head is given")
    parser.add_argument("--device", default="auto", help="cpu, cuda, mps …; auto: an accelerator if there is one")
    given = parser.parse_args(arguments)
    if given.top < 1:
        raise UserError(f"--top is {given.top}: it must be at least 1")
    if given.also and (given.explain or given.features):
        raise UserError(f"{'--explain' if given.explain else '--features'} is of one checkpoint: leave --also out")
    models = [load(given, given.device, checkpoint) for checkpoint in (given.checkpoint, *given.also)]
    require_alike(models)
    predict(models, given)
