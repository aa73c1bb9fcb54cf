"""What decisions over the label sets of the training split have in common."""

import numpy as np
import pytest
from test_subset_correction import problem

from multihot.calibration import ExpectedUtilityDecision, SubsetCorrectionDecision


@pytest.mark.parametrize("kind", [ExpectedUtilityDecision, SubsetCorrectionDecision])
def test_rows_with_an_unknown_entry_teach_nothing(kind):
    statistics, scores, targets = problem(3, rows=120)
    known = np.ones(targets.shape, dtype=bool)
    known[60:, 0] = False
    spoiled = targets.copy()
    spoiled[60:] = ~spoiled[60:]
    some = kind(statistics).fit(scores, spoiled, known)
    assert some.to_dict() == kind(statistics).fit(scores[:60], targets[:60]).to_dict()
