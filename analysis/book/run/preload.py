"""Imported once by the process that kernels are forked from: every package a chapter or its execution needs, none of this one.

``analysis`` itself is imported by each kernel anew, so that what a chapter uses of it can be told from what it does not.
"""

from __future__ import annotations

import gc
import os
import sys
from types import TracebackType

os.environ["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"  # or the debugger, which every kernel imports, prints a warning

import altair
import ipykernel.debugger
import ipykernel.ipkernel
import ipykernel.kernelapp
import IPython.core.completer
import IPython.core.completerlib
import IPython.core.debugger
import IPython.core.logger
import IPython.extensions.storemagic
import jsonschema_rs
import jupyter_client.asynchronous
import jupyter_client.provisioning
import jupytext
import nbclient
import pandas
import papermill
import pikepdf
import pypdfium2
import rapidfuzz.process
import tornado.platform.asyncio
import vl_convert

PACKAGES = (
    altair,
    ipykernel,
    IPython,
    jsonschema_rs,
    jupyter_client,
    jupytext,
    nbclient,
    pandas,
    papermill,
    pikepdf,
    pypdfium2,
    rapidfuzz,
    tornado,
    vl_convert,
)

# The first chart and the first table of a process import more.
FRAME = pandas.DataFrame({"x": [1.0], "y": ["a"]})
altair.Chart(FRAME).mark_point().encode(x="x:Q", y="y:N").to_dict(validate=False)
FRAME.to_html()
# What is here stays for good: the collector need not look at it again, and forks share its pages.
gc.collect()
gc.freeze()


def _unstarted(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Silence where a fork does not start because who asked for it ends just now, and has taken away what they share.

    Python's fork server calls this before any work is done, and who asked learns of the end of its process in any case.
    """
    if not isinstance(error, (OSError, EOFError)):
        sys.__excepthook__(kind, error, trace)


sys.excepthook = _unstarted
