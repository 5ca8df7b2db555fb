"""What lies on the disk: read, kept, verified and put in place in one step, or not at all."""
