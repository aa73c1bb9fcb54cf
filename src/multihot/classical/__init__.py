"""Classical baselines: linear SVM, logistic regression, classifier chain, label powerset and ensembles; for label distributions, a
maximum entropy model and nearest neighbours."""

from .aa_knn import AaKnnClassifier
from .base import Classifier
from .classifier_chain import ClassifierChainClassifier
from .ensemble import EnsembleClassifier
from .label_powerset import LabelPowersetClassifier
from .linear_svm import LinearSVMClassifier
from .logistic_regression import LogisticClassifier
from .predictor import ClassicalPredictor, check_classical, decision_of, fit_classical, load_classical, spell_out, takes_decisions
from .sa_bfgs import SaBfgsClassifier

__all__ = [
    "AaKnnClassifier",
    "ClassicalPredictor",
    "Classifier",
    "ClassifierChainClassifier",
    "EnsembleClassifier",
    "LabelPowersetClassifier",
    "LinearSVMClassifier",
    "LogisticClassifier",
    "SaBfgsClassifier",
    "check_classical",
    "decision_of",
    "fit_classical",
    "load_classical",
    "spell_out",
    "takes_decisions",
]
