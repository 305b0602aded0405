"""Data modules, one data set a file, over one base."""

from classifiers.data.arrays import ArrayDataModule as ArrayDataModule
from classifiers.data.augmentations import Augmentation as Augmentation
from classifiers.data.augmentations import ColorJitter as ColorJitter
from classifiers.data.augmentations import CutMix as CutMix
from classifiers.data.augmentations import Mixture as Mixture
from classifiers.data.augmentations import MixUp as MixUp
from classifiers.data.augmentations import RandomCrop as RandomCrop
from classifiers.data.augmentations import RandomErasing as RandomErasing
from classifiers.data.augmentations import RandomHorizontalFlip as RandomHorizontalFlip
from classifiers.data.augmentations import RandomResizedCrop as RandomResizedCrop
from classifiers.data.augmentations import RandomRotation as RandomRotation
from classifiers.data.augmentations import TrivialAugment as TrivialAugment
from classifiers.data.cifar10 import CIFAR10DataModule as CIFAR10DataModule
from classifiers.data.fashion_mnist import FashionMNISTDataModule as FashionMNISTDataModule
from classifiers.data.image_csv import CsvDataModule as CsvDataModule
from classifiers.data.image_data_module import ImageDataModule as ImageDataModule
from classifiers.data.image_folder import ImageFolderDataModule as ImageFolderDataModule
from classifiers.data.stream import StreamDataModule as StreamDataModule
from classifiers.data.synthetic import SyntheticDataModule as SyntheticDataModule
