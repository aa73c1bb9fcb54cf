"""The old place of ``multihot.metrics.significance``, for one version."""

import warnings

from ..metrics.significance import *  # noqa: F403

warnings.warn("multihot.experiments.statistics is now multihot.metrics.significance", DeprecationWarning, stacklevel=2)
