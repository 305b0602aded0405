"""The one folder into which a fit writes all it leaves: `runs/<experiment>/<time>/`."""

import contextlib
import itertools
import shutil
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.cli import SaveConfigCallback

from classifiers.experiment.checkpoints.callbacks import LastCheckpoint, RunCheckpoint, checkpoints_of
from classifiers.experiment.errors import UserError
from classifiers.experiment.files import GO_ON, write_whole, writing
from classifiers.experiment.mends.callbacks import write_over_its_own_files
from classifiers.experiment.paths import at_home, project_root
from classifiers.experiment.runs.event_file import EventFile
from classifiers.experiment.runs.further_loggers import tell_settings
from classifiers.experiment.runs.loggers import ComingLoggers, MetricsCSV
from classifiers.experiment.runs.panels import print_start
from classifiers.experiment.terminal import say

ELSEWHERE = "name another folder with --trainer.default_root_dir"
REQUEUED = "hpc_ckpt_"  # how Lightning's checkpoints for a requeued Slurm job begin


class RunFolder(SaveConfigCallback):
    """Creates the run folder when all is ready to train, and points config, loggers and checkpoints into it.

    A fit that can't be set up or can't take its first step leaves nothing behind. The path is decided once, by the
    first process. With `--resume`, the folder is that of the run that goes on; so it is for a job that Slurm requeued.
    """

    folder: Path
    seconds = 0.0  # of the fit, validation included, over all the times it went on
    step = 0  # from which it goes on
    before = ""  # its config.yaml, until then

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Unlike the base class, write nothing yet, and nothing at all outside of fit."""

    def on_load_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        self.step, self.seconds = checkpoint["global_step"], checkpoint.get("seconds", 0.0)
        if Path(str(trainer.ckpt_path)).name.startswith(REQUEUED):
            self.config.resume = checkpoint["run"]
        elif not self.config.ckpt_path:
            say(f"it goes on from {trainer.ckpt_path}, which OnExceptionCheckpoint wrote")
        if self.config.resume:
            self._take_checkpoints(trainer, Path(self.config.resume).absolute())

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._start = time.perf_counter() - self.seconds
        self.folder = Path(trainer.strategy.broadcast(str(self._open()) if trainer.is_global_zero else ""))
        others = [logger for logger in trainer.loggers if not isinstance(logger, ComingLoggers)]
        trainer.loggers = [EventFile(self.folder, self.step), MetricsCSV(self.folder, self.step), *others]
        tell_settings(trainer, self.folder, resumed=bool(self.config.resume))
        self._take_checkpoints(trainer, self.folder)

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self.config.trainer.enable_progress_bar is not False:
            print_start(trainer, pl_module, self.config.experiment, self.folder)

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.seconds = time.perf_counter() - self._start
        if trainer.is_global_zero:
            for requeued in Path(trainer.default_root_dir).glob(f"{REQUEUED}*.ckpt"):
                requeued.unlink()  # or Lightning would test its weights
        trainer.strategy.barrier()  # nor may another process still find it

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        unsaved = all(callback.saved_step == self.step for callback in checkpoints_of(trainer, LastCheckpoint))
        if self.before and trainer.is_global_zero and unsaved:
            write_whole(self.folder / "config.yaml", self.before)
        made = trainer.is_global_zero and hasattr(self, "folder") and not self.config.resume
        if made and trainer.global_step == 0 and not (self.folder / "checkpoints").exists():
            for logger in trainer.loggers:
                if isinstance(logger, EventFile):
                    with contextlib.suppress(UserError):
                        logger.close()  # whose thread would write a new file
            shutil.rmtree(self.folder)

    def on_save_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        if not hasattr(self, "folder"):
            return  # of a search of BatchSizeFinder's outside of a fit
        checkpoint["run"] = str(self.folder)
        checkpoint["seconds"] = time.perf_counter() - self._start

    def _take_checkpoints(self, trainer: Trainer, folder: Path) -> None:
        default = str(Path(trainer.default_root_dir, "checkpoints"))  # Lightning's, where there was no logger yet
        for callback in trainer.checkpoint_callbacks:
            if isinstance(callback, RunCheckpoint):
                callback.path = folder / f"checkpoints/{callback.name}.ckpt"
            elif isinstance(callback, ModelCheckpoint) and callback.dirpath == default:
                callback.dirpath = str(folder / "checkpoints")
                if self.config.resume:
                    write_over_its_own_files(callback)

    def _open(self) -> Path:
        config = self.config.clone()
        if config.resume:
            folder = Path(config.resume).absolute()
            config.resume, config.changed_data, config.ckpt_path = None, False, started_from(folder)
            self.before, cure = (folder / "config.yaml").read_text(), GO_ON
        else:
            root = at_home(self.config.trainer.default_root_dir or project_root() / "runs").absolute()
            folder, cure = make_run_folder(root, self.config.experiment), ELSEWHERE
        self.folder = folder
        with writing(folder / "config.yaml", cure):
            write_whole(folder / "config.yaml", self.parser.dump(config, skip_unset=False))
        return folder


def started_from(run: Path) -> str | None:
    """The checkpoint from which a run went on when it began, if from any."""
    path: str | None = yaml.safe_load((run / "config.yaml").read_text())["ckpt_path"]
    return path


def make_run_folder(root: Path, experiment: str) -> Path:
    """Make and return a new folder `root/<experiment>/<time>`, numbered where another run of that second has it.

    Raises:
        UserError: it can't be made.
    """
    stamp = datetime.now().strftime("%Y%m%d-%H%M%S")
    names = itertools.chain([stamp], (f"{stamp}-{count}" for count in itertools.count(2)))
    try:
        (root / experiment).mkdir(parents=True, exist_ok=True)
        return next(folder for name in names if _made(folder := root / experiment / name))
    except OSError as error:
        raise UserError(f"can't write the run to {root} ({error.strerror}): {ELSEWHERE}") from error


def _made(folder: Path) -> bool:
    try:
        folder.mkdir()
    except FileExistsError:
        return False
    return True
