"""What happens around training, one concern a file."""

from classifiers.callbacks.checkpoints import BestCheckpoint as BestCheckpoint
from classifiers.callbacks.checkpoints import LastCheckpoint as LastCheckpoint
from classifiers.callbacks.class_metrics import ClassMetrics as ClassMetrics
from classifiers.callbacks.evaluate_training_images import EvaluateTrainingImages as EvaluateTrainingImages
from classifiers.callbacks.figures import Figures as Figures
from classifiers.callbacks.initial_weights import InitialWeights as InitialWeights
from classifiers.callbacks.progress_bar import ProgressBar as ProgressBar
from classifiers.callbacks.run_folder import RunFolder as RunFolder
from classifiers.callbacks.tensorboard_charts import TensorBoardCharts as TensorBoardCharts
from classifiers.callbacks.whitening import WhitenFirstConvolution as WhitenFirstConvolution
