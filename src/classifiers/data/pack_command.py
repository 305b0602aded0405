"""Pack a folder of images for StreamDataModule: pack FOLDER OUT"""

from collections.abc import Sequence
from pathlib import Path

from classifiers.data.image_search import told
from classifiers.data.packing import write_pack
from classifiers.experiment import ExperimentCLI
from classifiers.experiment.command.parser import StrictParser
from classifiers.experiment.terminal import printable


def main(cli: type[ExperimentCLI], arguments: Sequence[str]) -> None:
    parser = StrictParser(prog=f"{cli.name} pack", description=__doc__)
    parser.add_argument(
        "folder", type=Path, help="of a sub-folder for each class, or of train, val and test with these"
    )
    parser.add_argument("out", type=Path, help="folder to write")
    parser.add_argument("--skip_unreadable", type=bool, default=False, help="leave out files that can't be read")
    given = parser.parse_args(arguments)
    pack = write_pack(given.folder, given.out, given.skip_unreadable)
    if pack.left_out:
        print(f"left out: {printable(told(pack.left_out))}")
    print(f"{given.out}: images {pack.images:,}, classes {pack.classes:,}, chunks {pack.chunks:,}; fit them by")
    print(f"--data StreamDataModule --data.root {given.out}, or copy it to an object store: s3://BUCKET/PREFIX")
