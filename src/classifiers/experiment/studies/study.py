"""The study of a sweep: its trials, in a database that any number of processes share."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import optuna
import sqlalchemy
from optuna import Study, Trial
from optuna.exceptions import ExperimentalWarning, StorageInternalError
from optuna.pruners import MedianPruner, NopPruner, SuccessiveHalvingPruner
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from classifiers.experiment.checkpoints.callbacks import BestCheckpoint
from classifiers.experiment.errors import UserError, one_line
from classifiers.experiment.settings import first_difference

PRUNERS = {"median": MedianPruner, "halving": SuccessiveHalvingPruner, "none": NopPruner}
HEARTBEAT, DEAD = 10, 60  # seconds between a running trial's signs of life; without one, until it is given up
LOCKED = 20  # seconds for which another process may lock an SQLite file


class Storage(RDBStorage):
    """Unlike the base class, outlives a moment without its database."""

    def record_heartbeat(self, trial_id: int) -> None:
        with suppress(StorageInternalError):
            super().record_heartbeat(trial_id)


def open_study(
    url: str, name: str, best: BestCheckpoint, space: dict[str, str], fixed: dict[str, str], pruner: str
) -> Study:
    """The study `name` in the database at `url`, made if it isn't there.

    Raises:
        UserError: it is a study of another `space` or monitor or of other `fixed` settings, or a database of something
            else.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    storage = _storage(url)
    given: dict[str, Any] = {
        "study_name": name,
        "direction": f"{best.mode}imize",
        "pruner": PRUNERS[pruner](),
        "load_if_exists": True,
    }
    study = optuna.create_study(storage=storage, **given)
    settings = {"space": space, "monitor": best.monitor, "mode": best.mode}
    if not study.trials:
        study.set_user_attr("fixed", fixed)
        study.set_user_attr("settings", settings)
    if study.user_attrs.get("settings") != settings:
        raise UserError(f"the study {name} is of another space or monitor: name another with --study")
    there = study.user_attrs.get("fixed", fixed)
    if option := first_difference(there, fixed):
        values = f"{option} {there.get(option)}, not {fixed.get(option)}"
        raise UserError(f"the study {name} is of other settings ({values}): name another with --study")
    return study


def _storage(url: str) -> Storage:
    sqlite = url.startswith("sqlite")
    options: dict[str, Any] = {"pool_pre_ping": True}
    if sqlite:  # whose connections are cheap, and are closed after use
        options = {"connect_args": {"timeout": LOCKED, "isolation_level": None}, "poolclass": sqlalchemy.NullPool}
    tables = sqlalchemy.inspect(sqlalchemy.create_engine(url, **options)).get_table_names()
    if tables and "trial_heartbeats" not in tables:
        raise UserError(f"the database {_shown(url)} is of something else: it has a table {tables[0]}")
    beats: dict[str, Any] = {
        "heartbeat_interval": HEARTBEAT,
        "grace_period": DEAD,
        "heartbeat_stale_trial_callback": put_back,
    }
    for tries_left in reversed(range(5)):
        try:
            storage = Storage(url, options, **beats)
            break
        except DBAPIError:  # as where another process makes some of the tables at the same moment
            if not tries_left:
                raise
    if sqlite:  # which has no SELECT FOR UPDATE, by which Optuna gives a trial to one process only
        event.listen(storage.engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    return storage


def put_back(study: Study, trial: Trial | FrozenTrial) -> None:
    """Let the settings of a trial that was cut short be tried again."""
    study.enqueue_trial(trial.params)


@contextmanager
def database_errors(url: str) -> Iterator[None]:
    """What goes wrong with the database at `url` is a user's mistake."""
    try:
        with warnings.catch_warnings(action="ignore", category=ExperimentalWarning):  # heartbeats are, since 2021
            yield
    except (SQLAlchemyError, StorageInternalError, ImportError, RuntimeError, UnboundLocalError) as error:
        lost = error.__context__ if isinstance(error, UnboundLocalError) else error  # Optuna's, in ending a trial
        reason = lost.__cause__ if isinstance(lost, StorageInternalError) else lost
        if reason is None:
            raise
        reason = getattr(reason, "orig", None) or reason
        raise UserError(f"the database {_shown(url)} can't be used: {one_line(reason)}") from error


def _shown(url: str) -> str:
    return url.rpartition("@")[2]  # without a password
