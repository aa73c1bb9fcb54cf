"""Classical baselines on scikit-learn's liblinear: linear SVM, logistic regression, classifier chain, label powerset."""

from .base import Classifier
from .classifier_chain import ClassifierChainClassifier
from .label_powerset import LabelPowersetClassifier
from .linear_svm import LinearSVMClassifier
from .logistic_regression import LogisticClassifier
from .predictor import ClassicalPredictor, check_classical, fit_classical, load_classical

__all__ = [
    "ClassicalPredictor",
    "Classifier",
    "ClassifierChainClassifier",
    "LabelPowersetClassifier",
    "LinearSVMClassifier",
    "LogisticClassifier",
    "check_classical",
    "fit_classical",
    "load_classical",
]
