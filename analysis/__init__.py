"""The Memory Wall: how large a language model can a device run, and why.

A table of sourced numbers goes through an equation into a derived table, which is drawn, captioned, cited and set on
a page.  The rooms by floor, from the ground up; a room imports rooms of lower floors, and within itself:

0.  ``units`` ``errors`` ``fonts``   names of units, the exception tree, letters
1.  ``door`` ``equations``       files as strangers give them; pure functions of numbers and arrays
2.  ``words``                    numbers as a reader reads them
3.  ``ranking``                  orders that are the same on every processor
4.  ``tables``                   the data package: read, laid over, checked
5.  ``charts`` ``assumptions``   kinds of charts and their one theme; what is declared of each parameter
6.  ``figures``                  drawing + data + caption + sources
7.  ``model``                    the calibrated model: a step, held to measurements, asked, fitted
8.  ``claims``                   the engine of verdicts
9.  ``subjects``                 a folder per subject: data of its figures, drawings, findings, rules of its claims
10. ``machine``                  this machine: described, measured, and what it can run
11. ``book``                     parameters, execution, pictures, pages, site
12. ``mcp`` ``sweep``            what a language model asks of a built site; many settings at once
13. ``cli``                      ``memory-wall …``
"""
