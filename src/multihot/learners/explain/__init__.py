"""What a trained model looks at, kept for reports: attention, saliency, a map of its features, and previews of instances."""
