"""The calibrated model: expected seconds of a step, held to measurements, with its intervals; asked, and fitted."""
