"""Chapters: run only when what they depend on changed, stopped when they hang or eat, and kept whole or not at all."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from analysis import figures
from analysis.book.inputs import parameters
from analysis.book.pictures import shelf
from analysis.book.run import execution, kernels, recipe, tracing
from analysis.book.store import bundles, cache, places, workplace
from analysis.errors import ChapterError
from tests.conftest import ROOT
from tests.small import HEAD, cells

PARAMETERS = ":tags: [parameters]\n\ncontext_token: int = 2048"
READING = "from analysis import tables\ndevices = tables.package().table('devices')\nprint(len(devices), context_token)"


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(places.CACHE_VARIABLE, str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def pool() -> Iterator[kernels.Pool]:
    with kernels.Pool(2) as started:
        yield started


class Desk:
    """A folder with chapters and a copy of the data, and what a build would do with them."""

    def __init__(self, folder: Path, pool: kernels.Pool) -> None:
        self.folder, self.pool = folder, pool
        self.data = Path(shutil.copytree(ROOT / "data", folder / "data"))
        self.settings: dict[str, object] = {}

    def write(self, *sources: str, prose: str = "Words.", name: str = "chapter") -> None:
        text = HEAD + f"# {name}\n\n{prose}\n\n" + cells(PARAMETERS, *sources)
        (self.folder / f"{name}.md").write_text(text, encoding="utf-8")

    def plan(self, name: str = "chapter", **limits: float) -> execution.Plan:
        values = parameters.defaults() | self.settings
        return execution.Plan([execution.Chapter(self.folder / f"{name}.md", values, self.data, **limits)])  # type: ignore[arg-type]

    def run(self, name: str = "chapter", **limits: float) -> execution.Plan:
        plan = self.plan(name, **limits)
        plan.run(self.pool, lambda name, outputs: None)
        return plan

    def stale(self) -> list[str]:
        return [chapter.name for chapter in self.plan().stale]

    def why(self) -> list[str]:
        return self.plan().keepers["chapter"].reasons()


@pytest.fixture
def desk(tmp_path: Path, pool: kernels.Pool) -> Desk:
    return Desk(tmp_path, pool)


def test_a_chapter_runs_once_and_its_prose_is_free(desk: Desk) -> None:
    desk.write(READING)
    assert desk.why() == ["it has not been executed here before"]
    assert desk.run().outputs["chapter"][1][0]["text"].split()[1] == "2048"
    desk.write(READING, prose="Other words, and more of them.\n\nA second paragraph.")
    assert desk.stale() == []
    assert desk.why() == []
    assert "Other words" in desk.run().run(desk.pool, lambda name, outputs: None)["chapter"]


def test_a_chapter_that_reads_nothing_runs_once_and_one_without_code_never(desk: Desk) -> None:
    desk.write("print(6 * 7)")
    assert desk.run().stale
    assert (desk.stale(), desk.why()) == ([], [])
    (desk.folder / "chapter.md").write_text(HEAD + "# chapter\n\nWords alone.\n", encoding="utf-8")
    assert (desk.stale(), desk.why()) == ([], [])
    assert desk.run().outputs == {"chapter": []}


def test_a_new_row_of_a_table_it_read_makes_it_run_and_of_another_does_not(desk: Desk) -> None:
    desk.write(READING)
    desk.run()
    for table, stale in (("memory_prices", []), ("devices", ["chapter"])):
        path = desk.data / f"{table}.csv"
        path.write_text(
            path.read_text(encoding="utf-8") + path.read_text(encoding="utf-8").splitlines()[-1] + "\n",
            encoding="utf-8",
        )
        assert desk.stale() == stale, table
    assert desk.why() == ["data/devices.csv changed"]


def test_the_notes_of_a_table_count_for_those_who_read_it(desk: Desk) -> None:
    desk.write(READING)
    desk.run()
    path = desk.data / "datapackage.json"
    descriptor = json.loads(path.read_text(encoding="utf-8"))
    for name, stale in (("memory_prices", []), ("devices", ["chapter"])):
        next(one for one in descriptor["resources"] if one["name"] == name)["title"] += " anew"
        path.write_text(json.dumps(descriptor), encoding="utf-8")
        assert desk.stale() == stale, name
    assert desk.why() == ["data/datapackage.json, the notes of table devices, changed"]


def test_declared_parameters_count_and_others_do_not(desk: Desk) -> None:
    desk.write(READING)
    desk.run()
    desk.settings = {"bandwidth_share": 0.4}
    assert desk.stale() == []
    desk.settings = {"context_token": 4096}
    assert desk.stale() == ["chapter"]
    assert desk.why() == ["parameter context_token changed from 2048 to 4096"]
    assert desk.run().outputs["chapter"][1][0]["text"].split()[1] == "4096"
    desk.settings = {}
    assert desk.stale() == [], "the earlier run is still known"


def test_code_python_packages_and_the_lock_file_count(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.write(READING)
    desk.run()
    desk.write(READING + "\nprint('more')")
    assert desk.why() == ["code cells changed"]
    desk.write(READING)
    for part in ("requirements.lock", "Python", "installed packages", "way of executing"):
        real = recipe.known_before

        def changed(*given: object, part: str = part, real: object = real) -> dict[str, str]:
            return {**real(*given), part: "another"}  # type: ignore[operator]

        monkeypatch.setattr(execution, "known_before", changed)
        assert desk.stale() == ["chapter"], part
        assert any(reason.startswith(part) for reason in desk.why()), part
        monkeypatch.undo()
        monkeypatch.setenv(places.CACHE_VARIABLE, str(desk.folder / "cache"))


def test_modules_it_uses_count_and_modules_it_does_not_use_do_not(desk: Desk) -> None:
    desk.write(READING)
    names = set(desk.plan().keepers["chapter"].last().get("parts", {})) | set(
        desk.run().keepers["chapter"].last()["parts"]
    )
    assert {"analysis/tables/__init__.py", "analysis/units.py", "analysis/errors.py", "data/devices.csv"} <= names
    assert not [name for name in names if name.startswith(("analysis/book/", "analysis/equations/server_batching"))]


def test_a_chapter_that_asks_the_outside_world_is_not_kept(desk: Desk) -> None:
    desk.write("import subprocess\nprint(subprocess.run(['echo', 'hello'], capture_output=True, text=True).stdout)")
    desk.run()
    assert desk.stale() == ["chapter"]


@pytest.mark.parametrize(
    "damage", [lambda content: content[: len(content) // 2], lambda content: content[:-1] + b"?", lambda content: b""]
)
def test_damaged_entries_are_made_again(desk: Desk, damage: object) -> None:
    desk.write(READING)
    before = desk.run().outputs
    for path in (desk.folder / "cache").rglob("*"):
        if path.is_file():
            path.write_bytes(damage(path.read_bytes()))  # type: ignore[operator]
    assert desk.stale() == ["chapter"]
    assert desk.run().outputs == before
    assert desk.stale() == []


def test_a_cache_that_cannot_be_written_is_gone_without(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    (desk.folder / "file").write_text("in the way", encoding="utf-8")
    monkeypatch.setenv(places.CACHE_VARIABLE, str(desk.folder / "file" / "cache"))
    desk.write(READING)
    assert desk.run().outputs["chapter"][1][0]["text"]
    assert desk.stale() == ["chapter"]


def test_the_cache_is_kept_below_a_size(tmp_path: Path) -> None:
    store = cache.Store("chapters")
    for number in range(5):
        store.put(str(number), b"x" * 1000)
        os.utime(store.path(str(number)), (number, number))
    cache.trim(3200)
    assert [store.has(str(number)) for number in range(5)] == [False, False, True, True, True]


def test_a_hanging_cell_is_stopped_and_shown(desk: Desk) -> None:
    desk.write("import time", "while True:\n    time.sleep(0.01)")
    begun = time.monotonic()
    with pytest.raises(ChapterError) as caught:
        desk.run(time_limit_s=1.0)
    assert time.monotonic() - begun < 30
    assert "cell 4" in str(caught.value)
    assert "time.sleep(0.01)" in str(caught.value)
    assert "longer than 1 s" in str(caught.value)


def test_a_chapter_that_eats_memory_is_contained(desk: Desk) -> None:
    desk.write("eaten = [bytearray(50_000_000) for _ in range(100)]")
    with pytest.raises(ChapterError) as caught:
        desk.run(memory_limit_byte=300_000_000)
    assert "MemoryError" in str(caught.value)
    assert "eaten" in str(caught.value)


def test_a_kernel_that_dies_is_told_of(desk: Desk) -> None:
    desk.write("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)")
    with pytest.raises(ChapterError) as caught:
        desk.run()
    assert "Kernel died" in str(caught.value)
    assert "cell 3" in str(caught.value)


def test_kernels_do_not_see_personal_settings(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONSTARTUP", "/nowhere/start.py")
    desk.write(
        "import os\nprint(os.environ.get('PYTHONSTARTUP'), os.environ.get('COLUMNS'), 'analysis.tables' in __import__('sys').modules)"
    )
    assert desk.run().outputs["chapter"][1][0]["text"].strip() == "None None False"


def test_the_plan_runs_the_longest_first(desk: Desk) -> None:
    units = []
    for name, seconds in (("short", 1.0), ("long", 9.0), ("middle", 5.0)):
        desk.write(READING, name=name)
        unit = execution.Chapter(desk.folder / f"{name}.md", parameters.defaults(), desk.data)
        execution.keeper(unit, execution.read(unit.path)).keep(
            recipe.Executed([], outside=["clock"], duration_s=seconds), 0.0
        )
        units.append(unit)
    assert [chapter.name for chapter in execution.Plan(units).stale] == ["long", "middle", "short"]
    awaited = execution.Plan(units, first=("short",)).stale
    assert [(chapter.name, chapter.gives_way) for chapter in awaited] == [
        ("short", False),
        ("long", True),
        ("middle", True),
    ]


def test_the_tracer_names_what_lies_in_the_data_and_in_the_repository(tmp_path: Path) -> None:
    tracer = tracing.Tracer(tmp_path / "data", repository=tmp_path)
    for path in ("data/devices.csv", "chapters/note.txt", "_build/x", "analysis/tables/__init__.py", ".venv/y"):
        tracer("open", (str(tmp_path / path), "r", 0))
    tracer("open", ("/elsewhere/z", "r", 0))
    tracer("os.listdir", (str(tmp_path / "data"),))
    tracer("subprocess.Popen", ("git",))
    assert tracer.names == {"data/devices.csv", "chapters/note.txt", "data/./"}
    assert tracer.outside == {"subprocess.Popen"}


def test_what_is_published_arrives_whole_and_is_kept_whole(desk: Desk) -> None:
    """It leaves the kernel once, as a file under its digest, which stands for it in outputs and notebook; who asks gets it whole."""
    desk.write('from analysis.figures import markup\nmarkup("a-name", "<p>" + "é" * 100_000)')
    said = figures.markup("a-name", "<p>" + "é" * 100_000)._repr_mimebundle_()[figures.MARKUP]
    digest = hashlib.sha256(json.dumps(said).encode()).hexdigest()
    for _ in ("run", "read from the cache"):
        plan = desk.plan()
        [notebook] = plan.run(desk.pool, lambda name, outputs: None).values()
        [shown] = [output["data"] for cell in json.loads(notebook)["cells"] for output in cell.get("outputs", [])]
        assert shown == plan.outputs["chapter"][1][0]["data"]
        assert shown[figures.MARKUP] == {figures.DIGEST: digest}
        assert bundles.resolved(shown[figures.MARKUP]) == said
    assert bundles.resolved(said) is said


@pytest.mark.parametrize("asked", ["['memory_bandwith_byte_per_s']", "[['device_id', 'memory_bandwith_byte_per_s']]"])
def test_a_misspelt_column_is_told_with_the_one_that_is_meant(desk: Desk, asked: str) -> None:
    """With the line of the chapter, and not one of the library that the column was asked of."""
    desk.write(f"from analysis import tables\ndevices = tables.package().table('devices'){asked}")
    with pytest.raises(ChapterError) as caught:
        desk.run()
    assert "Did you mean 'memory_bandwidth_byte_per_s'" in str(caught.value)
    assert f"line 2: devices = tables.package().table('devices'){asked}" in str(caught.value)
    assert "site-packages" not in str(caught.value)


def test_a_number_that_json_does_not_know_is_an_error(desk: Desk) -> None:
    desk.write(
        "from analysis.figures import Published, MARKUP\n"
        'Published(MARKUP, {"id": "x", "html": float("nan")})._repr_mimebundle_()'
    )
    with pytest.raises(ChapterError, match="not JSON compliant"):
        desk.run()


def test_a_caption_without_its_f_stops_the_build_and_names_chapter_and_figure(desk: Desk) -> None:
    desk.write(
        "import altair, pandas\nfrom analysis.figures import figure\ntable = pandas.DataFrame({'year': [2026]})\n"
        "figure('my-figure', altair.Chart(table).mark_point().encode(x='year:O'), table, title='t', subtitle='s', sources=[],\n"
        "    caption=\"rests on {say['chips']} machines\", alt='one point, alone on a wide axis')"
    )
    with pytest.raises(
        ChapterError, match=r"chapter chapter(.|\n)*figure my-figure: caption holds an unfilled template"
    ):
        desk.run()


def test_a_kept_result_is_good_for_its_own_key_alone() -> None:
    store = cache.Store("pictures")
    for key in ("one", "other"):
        store.put(key, key.encode())
    exchanged = [store.path(key).read_bytes() for key in ("other", "one")]
    for key, content in zip(("one", "other"), exchanged, strict=True):
        store.path(key).write_bytes(content)
    assert [store.get(key) for key in ("one", "other")] == [None, None]
    assert store.made("one", lambda: b"made anew") == b"made anew"
    assert store.get("one") == b"made anew"


def test_an_entry_that_is_no_file_is_none(tmp_path: Path) -> None:
    store = cache.Store("pictures")
    for key, make in (
        ("pipe", os.mkfifo),
        ("folder", os.mkdir),
        ("endless", lambda path: os.symlink("/dev/zero", path)),
    ):
        store.path(key).parent.mkdir(parents=True, exist_ok=True)
        make(store.path(key))
        assert store.get(key) is None


@pytest.mark.long
def test_pictures_are_kept_under_the_code_that_draws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every module of this package that drawing imports, however it does: one changed character, and pictures are drawn anew."""
    shutil.copytree(ROOT / "analysis", tmp_path / "analysis", ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(places, "REPOSITORY", tmp_path)

    def address() -> str:
        cache.code_of.cache_clear()
        shelf._tools.cache_clear()
        return shelf.address("svg", "{}")

    first = address()
    for name in (
        "book/pictures/renderer.py",
        "book/pictures/framing.py",
        "book/pictures/pixels.py",
        "book/pictures/shelf.py",
        "charts/theme.py",
        "words.py",
    ):
        path = tmp_path / "analysis" / name
        path.write_text(path.read_text(encoding="utf-8") + "# changed\n", encoding="utf-8")
        assert address() != first, name
        first = address()
    for name in ("model/predict.py", "subjects/memory_wall/charts.py", "book/pages/pieces.py"):
        (tmp_path / "analysis" / name).write_text("# changed\n", encoding="utf-8")
        assert address() == first, name
    cache.code_of.cache_clear()
    shelf._tools.cache_clear()


def test_the_cache_is_trimmed_in_the_end_unless_another_build_uses_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "LARGEST_CACHE_BYTE", 0)
    store, folder = cache.Store("chapters"), places.cache_folder()
    store.put("old", b"x")
    long_ago = time.time() - cache.OLDEST_S - 60
    os.utime(store.path("old"), (long_ago, long_ago))
    store.put("new", b"x")
    left = store.path("new").with_name(f".new-{store.path('new').name}-abc")
    theirs = [
        folder / "chapters" / "ab" / "thesis.tex",
        folder / "mine" / "cd" / "notes",
        folder / "chapters" / "readme",
    ]
    for path in (left, *theirs):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x", encoding="utf-8")
    with cache.in_use() as trim:
        with cache.in_use():
            trim()
        assert store.has("old"), "another build uses it"
        assert left.exists()
        trim()
        assert not store.has("old")
        with (folder / cache.TAG).open() as tag:
            fcntl.flock(tag, fcntl.LOCK_SH | fcntl.LOCK_NB)
            with pytest.raises(BlockingIOError):  # held beside others again
                fcntl.flock(tag, fcntl.LOCK_EX | fcntl.LOCK_NB)
    assert (store.has("old"), store.has("new"), left.exists()) == (False, True, False)
    assert all(path.exists() for path in theirs)
    assert (
        (folder / "CACHEDIR.TAG").read_text(encoding="utf-8").startswith("Signature: 8a477f597d28d172789f06886806bc55")
    )


def test_what_the_cache_refuses_is_handed_over_within_a_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    monkeypatch.setenv(places.CACHE_VARIABLE, str(tmp_path / "file" / "cache"))
    monkeypatch.setenv(workplace.VARIABLE, str(tmp_path / "private"))
    cache.Store("pictures", handed_over=True).put("key", b"drawn")
    assert cache.Store("pictures", handed_over=True).get("key") == b"drawn"
    assert cache.Store("pictures", handed_over=True).has("key")
    cache.Store("chapters").put("key", b"run")
    assert cache.Store("chapters").get("key") is None


LOUD = {
    "printed": ("for i in range(400_000):\n    print('x' * 200)", "line 2: print('x' * 200)"),
    "printed without end": ("while True:\n    print('x' * 200)", "line 2: print('x' * 200)"),
    "in one piece": ("print('x' * 2_000_000)", "line 1: print"),
    "shown": ("from IPython.display import HTML, display\ndisplay(HTML('<b>x</b>' * 300_000))", "from IPython.display"),
    "as a value": ("'x' * 1_500_000", "'x' * 1_500_000"),
    "in many pieces": ("for i in range(50):\n    display({'text/html': 'x' * 30_000}, raw=True)", "for i in range(50)"),
}


@pytest.mark.parametrize("case", LOUD)
def test_a_cell_that_puts_out_too_much_is_named_with_its_size(desk: Desk, case: str) -> None:
    source, shown = LOUD[case]
    desk.write("print('before')", source)
    with pytest.raises(ChapterError) as caught:
        desk.run()
    said = str(caught.value)
    assert "chapter chapter, cell 4, failed" in said
    assert shown in said
    assert re.search(r"the cell put out [\d,]{9,} bytes or more, and at most 1,000,000 go onto a page", said), said
    assert len(said) < 3000


def test_what_a_page_can_hold_is_put_out(desk: Desk) -> None:
    desk.write("print('x' * 900_000)", "print('y' * 900_000)")
    outputs = desk.run().outputs["chapter"]
    assert [len(cell[0]["text"]) for cell in outputs[1:]] == [900_001, 900_001]
