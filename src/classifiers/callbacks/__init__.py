"""What happens around training, one concern a file."""

from classifiers.callbacks.checkpoints import BestCheckpoint as BestCheckpoint
from classifiers.callbacks.checkpoints import LastCheckpoint as LastCheckpoint
from classifiers.callbacks.class_metrics import ClassMetrics as ClassMetrics
from classifiers.callbacks.evaluate_training_images import EvaluateTrainingImages as EvaluateTrainingImages
from classifiers.callbacks.exact_resume import ExactResume as ExactResume
from classifiers.callbacks.figures import Figures as Figures
from classifiers.callbacks.finite_loss import FiniteLoss as FiniteLoss
from classifiers.callbacks.initial_weights import InitialWeights as InitialWeights
from classifiers.callbacks.progress_bar import ProgressBar as ProgressBar
from classifiers.callbacks.run_folder import RunFolder as RunFolder
from classifiers.callbacks.stop_on_signal import StopOnSignal as StopOnSignal
from classifiers.callbacks.tensorboard_charts import TensorBoardCharts as TensorBoardCharts
from classifiers.callbacks.whitening import WhitenFirstConvolution as WhitenFirstConvolution
