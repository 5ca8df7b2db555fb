"""The equations of the book: pure functions of numbers and numpy arrays, one file per subject.

Everything is in base units (byte, bit, flop, s, mm2, usd, token, word, param, year); the unit of an argument
and of a result is the last part of its name.  Arguments are numbers or arrays and broadcast like numpy's; the
result is a float where all of them are numbers.  A missing number (NaN) gives a missing result.  An argument
outside its range raises ValueError with its name, what was expected and what was found.
"""
