"""The engine of verdicts: statements, readings, criteria, robustness, and how they are told; the rules are each subject's."""
