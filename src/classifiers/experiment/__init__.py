"""What every experiment needs, whatever it is about: any LightningModule, any LightningDataModule."""

from classifiers.experiment.command.cli import ExperimentCLI as ExperimentCLI
from classifiers.experiment.errors import UserError as UserError
from classifiers.experiment.module import ExperimentModule as ExperimentModule
from classifiers.experiment.run import Run as Run
from classifiers.experiment.run import fit as fit
from classifiers.experiment.run import open_run as open_run
from classifiers.experiment.sampling.repeatable_data import RepeatableDataModule as RepeatableDataModule
