"""What a run is given: parameters, their file, the address, the data."""
