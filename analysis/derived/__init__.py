"""The data of each figure: tables in, equations applied, one table out; derived numbers are functions, never files."""
