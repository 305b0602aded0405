"""Image classification on PyTorch Lightning: data modules, nets, one LightningModule, predictions, one command line."""

from classifiers import matplotlib_backend as matplotlib_backend  # before torchmetrics imports matplotlib

__version__ = "0.2.0"

from classifiers.classifier import ImageClassifier as ImageClassifier
from classifiers.cli import fit as fit
from classifiers.cli import open_run as open_run
from classifiers.data import ArrayDataModule as ArrayDataModule
from classifiers.data import CIFAR10DataModule as CIFAR10DataModule
from classifiers.data import CsvDataModule as CsvDataModule
from classifiers.data import FashionMNISTDataModule as FashionMNISTDataModule
from classifiers.data import ImageDataModule as ImageDataModule
from classifiers.data import ImageFolderDataModule as ImageFolderDataModule
from classifiers.data import StreamDataModule as StreamDataModule
from classifiers.data import SyntheticDataModule as SyntheticDataModule
from classifiers.experiment import Run as Run
from classifiers.experiment import UserError as UserError
from classifiers.inference.interpretation import interpret as interpret
from classifiers.inference.loading import load_classifier as load_classifier
from classifiers.inference.prediction import classify as classify
from classifiers.models import MLP as MLP
from classifiers.models import ConvNet as ConvNet
from classifiers.models import LeNet as LeNet
from classifiers.models import Net as Net
from classifiers.models import PretrainedNet as PretrainedNet
from classifiers.models import ResNet as ResNet
