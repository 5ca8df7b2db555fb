"""The calibrated model, held to measurements."""
