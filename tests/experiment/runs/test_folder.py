import csv
import os
import pwd
import re
from pathlib import Path

import pytest
import torch
from jsonargparse import Namespace
from lightning.pytorch import LightningModule, Trainer

from classifiers.cli import main
from classifiers.experiment.command.parser import StrictParser
from classifiers.experiment.errors import UserError
from classifiers.experiment.runs.folder import RunFolder, make_run_folder
from tests.conftest import SMALL, Cli


def test_a_fit_leaves_exactly_these_files(fit: Cli) -> None:
    folder = fit("--figures=true")
    names = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    assert [re.sub(r"(tfevents)\..*", r"\1", name) for name in names] == [
        "checkpoints/best.ckpt",
        "checkpoints/last.ckpt",
        "classes.csv",
        "config.yaml",
        "confused.csv",
        "events.out.tfevents",
        "figures/confusion.png",
        "figures/curves.png",
        "figures/mistakes.png",
        "metrics.csv",
        "metrics.json",
        "mistakes.csv",
    ]
    assert folder.parent.name == "default"
    assert re.fullmatch(r"\d{8}-\d{6}", folder.name)


def test_runs_and_what_they_start_from_may_be_at_home(
    fit: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    run = fit("--trainer.default_root_dir=~/runs", "--trainer.max_epochs=1").relative_to(tmp_path)
    main(["fit", f"--resume=~/{run}", "--trainer.max_epochs=2"])
    Path("root.yaml").write_text("trainer: {default_root_dir: ~/runs}\n")
    fit("--config=root.yaml", f"--init_weights=~/{run}/checkpoints/best.ckpt")
    assert {path.name for path in tmp_path.iterdir()} == {"root.yaml", "runs"}


def test_requeued_checkpoints_are_gone_before_any_process_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "hpc_ckpt_1.ckpt").touch()
    there: list[list[Path]] = []
    trainer = Trainer(default_root_dir=tmp_path, accelerator="cpu", logger=False, enable_checkpointing=False)
    monkeypatch.setattr(trainer.strategy, "barrier", lambda: there.append([*tmp_path.iterdir()]))
    folder = RunFolder(StrictParser(), Namespace())
    folder._start = 0.0
    folder.on_fit_end(trainer, LightningModule())
    assert there == [[]]


def test_folders_of_one_second_differ(tmp_path: Path) -> None:
    stamps = {make_run_folder(tmp_path, "shirts").name for _ in range(30)}
    assert len(stamps) == 30


def test_a_folder_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "shirts").touch()
    with pytest.raises(UserError, match=r"can't write the run to .* \(File exists\): name another folder with"):
        make_run_folder(tmp_path, "shirts")


def test_a_run_for_whose_config_there_is_no_room_leaves_nothing(
    small_disk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    left = os.statvfs(small_disk)
    (small_disk / "filler").write_bytes(bytes(left.f_bavail * left.f_frsize))
    with pytest.raises(SystemExit):
        main(["fit", *SMALL, f"--trainer.default_root_dir={small_disk}"])
    cure = r"name another folder with --trainer\.default_root_dir"
    line = capsys.readouterr().err.splitlines()[-1]
    assert re.fullmatch(rf"error: can't write {small_disk}/\S+/config\.yaml \(No space left on device\): {cure}", line)
    assert {path.name for path in small_disk.rglob("*")} == {"default", "filler"}


def test_a_dangling_link_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "runs").symlink_to(tmp_path / "unmounted")
    with pytest.raises(UserError, match="can't write the run to"):
        make_run_folder(tmp_path / "runs", "shirts")


def test_an_added_checkpoint_stands_in_the_run_folder(fit: Cli) -> None:
    folder = fit("--trainer.callbacks+=ModelCheckpoint", "--trainer.callbacks.filename=mine")
    assert (folder / "checkpoints/mine.ckpt").exists()


def test_the_csv_holds_every_epoch_and_the_test(fit: Cli) -> None:
    with (fit() / "metrics.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    filled = [
        (row["step"], sorted(name for name, value in row.items() if value and name not in ("epoch", "step")))
        for row in rows
    ]
    assert filled == [
        ("2", ["lr", "train/loss"]),
        ("5", ["lr", "train/loss"]),
        ("5", ["val/acc", "val/loss"]),
        ("5", ["train/acc", "train/epoch_loss"]),
        ("8", ["lr", "train/loss"]),
        ("11", ["lr", "train/loss"]),
        ("11", ["val/acc", "val/loss"]),
        ("11", ["train/acc", "train/epoch_loss"]),
        ("12", ["test/acc", "test/ece", "test/loss", "test/macro_f1"]),
    ]


def test_checkpoints_know_their_epoch_run_and_metrics(fit: Cli) -> None:
    folder = fit()
    content = torch.load(folder / "checkpoints/last.ckpt", weights_only=True)
    assert (content["epoch"], content["run"]) == (2, str(folder))
    assert set(content["metrics"]) >= {"val/loss", "val/acc", "train/epoch_loss", "train/acc"}


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded, use of fork")
@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_another_user_cannot_write_there(tmp_path: Path) -> None:
    for parent in (tmp_path, *tmp_path.parents[:2]):
        parent.chmod(0o755)
    nobody = pwd.getpwnam("nobody").pw_uid
    process = os.fork()
    if process == 0:
        os.setuid(nobody)
        try:
            make_run_folder(tmp_path / "runs", "shirts")
        except UserError as error:
            os._exit(0 if "Permission denied" in str(error) else 1)
        os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 0
    assert not (tmp_path / "runs").exists()
