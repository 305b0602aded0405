"""Pictures for people: one figure a file, all in one style."""

from classifiers.figures.confused import confused_pairs as confused_pairs
from classifiers.figures.confusion import confusion_matrix as confusion_matrix
from classifiers.figures.curves import learning_curves as learning_curves
from classifiers.figures.grid import labelled_grid as labelled_grid
from classifiers.figures.grid import mistakes_grid as mistakes_grid
