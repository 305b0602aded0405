"""Random changes to training batches; any transform of torchvision's v2 is one too."""

from classifiers.data.augmentations.augmentation import Augmentation as Augmentation
from classifiers.data.augmentations.augmentation import Mixture as Mixture
from classifiers.data.augmentations.colours import ColorJitter as ColorJitter
from classifiers.data.augmentations.erasing import RandomErasing as RandomErasing
from classifiers.data.augmentations.mixtures import CutMix as CutMix
from classifiers.data.augmentations.mixtures import MixUp as MixUp
from classifiers.data.augmentations.shifts import RandomCrop as RandomCrop
from classifiers.data.augmentations.shifts import RandomHorizontalFlip as RandomHorizontalFlip
from classifiers.data.augmentations.trivial_augment import TrivialAugment as TrivialAugment
from classifiers.data.augmentations.warps import RandomResizedCrop as RandomResizedCrop
from classifiers.data.augmentations.warps import RandomRotation as RandomRotation
