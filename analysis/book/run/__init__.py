"""From chapters and data to outputs: notebooks executed, or found as they were."""
