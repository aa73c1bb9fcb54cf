"""What losses are computed with: checks of targets and settings, terms over entries, pairs and sums, and their closed-form gradients."""
