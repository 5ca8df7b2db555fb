"""The Memory Wall: how large a language model can a device run, and why.

A table of sourced numbers goes through an equation into a derived table, which is drawn, captioned, cited and set on
a page.  The floors, from the ground up; a module imports downwards only:

0. ``units``, ``errors``, ``words``      names of units, the exception tree, numbers as a reader reads them
1. ``equations``, ``tables``, ``charts``   pure functions; the data package; kinds of charts and their one theme
2. ``derived``, ``claims``, ``figures``    the data of each figure; a rule per claim; drawing + data + caption + sources
3. ``book``                              parameters, execution, assets, site
4. ``cli``                               ``memory-wall …``
"""
