"""From chapters and data to a published site.  Inside, too, rooms import downwards only.

1. ``store``     what lies on the disk, in one step or not at all
2. ``inputs``    what a run is given
3. ``record``    what is said of a site: edition, citations, licences
4. ``pictures``  charts as files
5. ``run``       notebooks to outputs
6. ``pages``     outputs to pages
7. ``export``    a built site as PDF, EPUB and MyST
8. ``compare``   two states, and what moved between them

and above them ``site``, which builds, ``view``, which shows what was built, and ``watch``, which builds again.  No room knows what
this book is about, but for ``compare.states``, which works out the claims and the sentences of a folder of data.
"""
