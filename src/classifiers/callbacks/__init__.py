"""What happens around the training of images, one concern a file."""

from classifiers.callbacks.class_metrics import ClassMetrics as ClassMetrics
from classifiers.callbacks.evaluate_training_images import EvaluateTrainingImages as EvaluateTrainingImages
from classifiers.callbacks.figures import Figures as Figures
from classifiers.callbacks.first_look import FirstLook as FirstLook
from classifiers.callbacks.frozen_backbone import FrozenBackbone as FrozenBackbone
from classifiers.callbacks.tensorboard_charts import TensorBoardCharts as TensorBoardCharts
from classifiers.callbacks.test_tables import TestTables as TestTables
from classifiers.callbacks.whitening import WhitenFirstConvolution as WhitenFirstConvolution
from classifiers.experiment.training.progress_bar import ProgressBar as ProgressBar  # where old configs name it
