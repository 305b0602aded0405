"""Working off the trials of a study, beside any other processes that do."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from optuna import Study, Trial, TrialPruned
from optuna.storages import fail_stale_trials
from optuna.trial import FrozenTrial, TrialState
from rich import get_console

from classifiers.experiment.checkpoints.callbacks import BestCheckpoint
from classifiers.experiment.command.cli import ExperimentCLI
from classifiers.experiment.errors import UserError
from classifiers.experiment.runs.history import best_row
from classifiers.experiment.studies.fitting import Fit, fitting
from classifiers.experiment.studies.space import Space
from classifiers.experiment.studies.study import DEAD, put_back
from classifiers.experiment.terminal import say, shown

ENDS = {TrialState.COMPLETE: "finished", TrialState.PRUNED: "pruned", TrialState.FAIL: "failed"}


@dataclass(frozen=True)
class Trials:
    """Fits with `options` and settings of `space`, into folders of `folder`, until `study` has so `many`.

    They count however they end. But one whose process is stopped or dies is put back.
    """

    cli: type[ExperimentCLI]
    study: Study
    space: Space
    options: Sequence[str]
    best: BestCheckpoint
    folder: Path
    many: int

    def work_off(self) -> None:
        """Do all that no other process does, and wait for those."""
        if done := sum(self.ends().values()):
            say(f"{done} of {self.many} trials are done")
        while self._one_is_left():
            try:
                self.study.optimize(self._try, n_trials=1, callbacks=[self._tell])  # type: ignore[arg-type]
            except (ValueError, AssertionError) as error:
                if "Cannot tell a FAIL trial" not in f"{error} {error.__context__}":  # as others have told already
                    raise
                say(f"a trial showed no life for {DEAD} seconds, so that others took it for dead and do it again")

    def counted(self) -> list[FrozenTrial]:
        """All but those that failed without a reason, being put back, and those that died before they began."""
        died = datetime.now() - timedelta(seconds=DEAD)
        return [
            trial
            for trial in self.study.get_trials(deepcopy=False)
            if trial.state != TrialState.FAIL or "failure" in trial.user_attrs
            if trial.state != TrialState.RUNNING
            or trial.params
            or (trial.datetime_start and trial.datetime_start > died)
        ]

    def ends(self) -> dict[str, int]:
        """How many of them ended in which way."""
        states = [trial.state for trial in self.counted()]
        return {end: states.count(state) for state, end in ENDS.items()}

    def ranked(self) -> list[FrozenTrial]:
        """Those that finished, the best one first."""
        done = self.study.get_trials(states=[TrialState.COMPLETE])
        return sorted(done, key=lambda trial: trial.value or 0.0, reverse=self.best.mode == "max")

    def _one_is_left(self) -> bool:
        """Whether there is one to do; waits while other processes do the last ones, which may die."""
        with get_console().status("waiting for the trials of other processes"):
            while True:
                fail_stale_trials(self.study)
                begun = [trial for trial in self.counted() if trial.state != TrialState.WAITING]
                if len(begun) < self.many or all(trial.state.is_finished() for trial in begun):
                    return len(begun) < self.many
                time.sleep(1)

    def _try(self, trial: Trial) -> float | None:
        """The best value of the monitored metric, unless the fit is pruned; None if it fails."""
        if sum(other.number < trial.number for other in self.counted()) >= self.many:
            return None  # another process took the last one at the same moment
        settings = self.space.draw(trial)
        name = f"trial-{trial.number}"
        options = [*self.options, *as_options(settings), "--trainer.limit_test_batches=0"]
        try:
            told = get_console().status(f"{name}: {self.space.tell(settings)}")
            with told, fitting(self.cli, options, self.folder, name) as fit:
                for step, value in enumerate(fit.values(self.best.monitor)):
                    trial.report(value, step)
                    if step + 1 != fit.max_epochs and fit.process.is_alive() and trial.should_prune():
                        raise TrialPruned
        except KeyboardInterrupt:
            put_back(self.study, trial)
            raise
        return self._value(trial, fit)

    def _value(self, trial: Trial, fit: Fit) -> float | None:
        best = best_row(fit.history, self.best.monitor, self.best.mode)
        reason = fit.failure() or ("" if best else f"it has no {self.best.monitor}")
        if reason:
            if fit.process.exitcode in (0, 2) and not fit.run and not any(other.values for other in self.counted()):
                raise UserError(reason)  # no trial ever came to its first step, so likely none will
            trial.set_user_attr("failure", reason)
            return None
        assert best
        assert fit.run
        trial.set_user_attr("run", f"{fit.folder.name}/{fit.run.name}")
        trial.set_user_attr("reached", {name: value for name, value in best.items() if name.startswith("val")})
        return best[self.best.monitor]

    def _tell(self, study: Study, trial: FrozenTrial) -> None:
        end = ENDS[trial.state]
        if trial.value is not None:
            end += f", {self.best.monitor} {shown(self.best.monitor, trial.value)}"
        if reason := trial.user_attrs.get("failure"):
            end += f", {reason}"
        say(f"trial-{trial.number} {end}: {self.space.tell(self.space.settings(trial.params))}")


def as_options(settings: dict[str, str]) -> list[str]:
    """The settings as `fit` takes them."""
    return [f"--{name}={value}" for name, value in settings.items()]
