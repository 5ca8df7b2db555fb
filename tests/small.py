"""A small book in a folder of its own: the real package and data, two chapters that a test may break."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import yaml

from tests.conftest import ROOT

HEAD = """---
jupytext:
  text_representation: {extension: .md, format_name: myst}
kernelspec: {display_name: Python 3, language: python, name: python3}
---

"""
FIGURE = """
# A figure

```{code-cell} python
:tags: [parameters]

context_token: int = 2048
```

```{code-cell} python
import altair as alt

from analysis import tables
from analysis.figures import Value, figure, publish

devices = tables.package().table("devices").head(12)[["device_id", "memory_bandwidth_byte_per_s", "source_id"]]
publish(Value("small-context", float(context_token), "token", definition="Tokens of context."))
```

The context is {value}`small-context`.

```{code-cell} python
chart = alt.Chart(devices).mark_point().encode(x="memory_bandwidth_byte_per_s:Q", y="device_id:N")
figure("small-figure", chart, devices, title="A title", subtitle="A subtitle", caption="A caption.",
       alt="Twelve devices as points by their memory bandwidth.")
```
"""
LANDING = "\n# A small book\n\nIt has one figure: {doc}`figure`.\n"


def cells(*sources: str) -> str:
    """Code cells as they stand in a chapter."""
    return "\n".join(f"```{{code-cell}} python\n{source}\n```\n" for source in sources)


def hears_interrupts() -> None:
    """As in a terminal: a shell that starts the tests in the background has them, and all they start, ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


class Book:
    """The folder, and the command line run in it as a user does."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("analysis", "data"):
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("_config.yml", "requirements.lock"):
            shutil.copyfile(ROOT / name, folder / name)
        (folder / "chapters").mkdir()
        shutil.copyfile(ROOT / "chapters" / "parameters.yml", folder / "chapters" / "parameters.yml")
        self.write("index", LANDING)
        self.write("figure", FIGURE)

    @property
    def site(self) -> Path:
        """Where the book is published."""
        return self.folder / "_build" / "html"

    def write(self, name: str, text: str) -> None:
        """Write a chapter; the table of contents follows."""
        (self.folder / "chapters" / f"{name}.md").write_text(HEAD + text, encoding="utf-8")
        names = sorted(path.stem for path in (self.folder / "chapters").glob("*.md") if path.stem != "index")
        parts = [{"caption": "All", "numbered": 1, "chapters": [{"file": f"chapters/{name}"} for name in names]}]
        toc = {"format": "jb-book", "root": "chapters/index", "parts": parts}
        (self.folder / "_toc.yml").write_text(yaml.safe_dump(toc), encoding="utf-8")

    def remove(self, name: str) -> None:
        """Take a chapter out again."""
        (self.folder / "chapters" / f"{name}.md").unlink()
        self.write("index", LANDING)

    def environment(self, **more: str) -> dict[str, str]:
        """The environment of a user who works in the folder."""
        left_out = {"MEMORY_WALL_DATA", "MEMORY_WALL_CACHE", "PYTHONDONTWRITEBYTECODE"}
        own = {name: value for name, value in os.environ.items() if name not in left_out}
        return own | {"PYTHONPATH": str(self.folder)} | more

    def start(self, *arguments: str, **more: str) -> subprocess.Popen[str]:
        """Begin a command."""
        command = [sys.executable, "-m", "analysis", *arguments]
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env=self.environment(**more),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=hears_interrupts,  # noqa: PLW1509 - the tests start processes from one thread
        )

    def run(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        process = self.start(*arguments, **more)
        out, err = process.communicate(timeout=300)
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)
