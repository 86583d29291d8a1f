"""Objects by pickle: only where trowel.yml says so."""

import os
import pickle

import pytest

from trowel_task.kinds import kinds
from trowel_task.store import values
from trowel_task.store.store import Store

MODULE = """
    import digdag
    class Model:
        def __init__(self, k): self.k = k
    def put(): digdag.env.store(model=Model(3), parts={"list": [Model(4)], "n": 1})
    def get(model, parts): print(model.k, parts["list"][0].k, type(model).__module__)
    def ignore(): pass
    def lambdas(): digdag.env.store(f=lambda: 1)
    def folder():
        import pathlib
        digdag.env.store(f=pathlib.Path("."))
"""


@pytest.fixture
def model(host):
    host.file("tasks/__init__.py", "")
    host.file("tasks/model.py", MODULE)

    def run(name, pickle=True, **params):
        return host.run("py", f"tasks.model.{name}", params=params, pickle=pickle)

    run.host = host
    return run


def test_an_object_of_the_projects_own_class(model):
    stored = model("put")["stored"]
    assert (stored["model"]["kind"], stored["model"]["as"]) == ("pickle", "tasks.model.Model")
    assert model("get", **stored)["ok"]
    assert model.host.log() == "3 4 tasks.model\n"


def test_without_the_setting_it_is_neither_written_nor_read(model):
    assert "it is of type tasks.model.Model: store a dict of its content, or" in model("put", pickle=False)["error"]["message"]
    stored = model("put")["stored"]
    message = model("get", pickle=False, **stored)["error"]["message"]
    assert "'model' cannot be read: it is a pickle of a tasks.model.Model, which is read only with `values: {pickle: true}`" in message
    assert model("ignore", pickle=False, **stored)["ok"]


def test_what_cannot_be_read_names_its_key(model):
    stored = model("put")["stored"]
    model.host.file("tasks/model.py", MODULE.replace("class Model", "class Renamed"))
    message = model("get", **stored)["error"]["message"]
    assert "'model' cannot be read: its pickle of a tasks.model.Model cannot be read here: AttributeError" in message


@pytest.mark.parametrize(
    "name, text",
    [
        ("lambdas", "'f' cannot be stored: a function, it cannot be pickled: "),
        ("folder", "'f' cannot be stored: . is a folder"),
    ],
)
def test_what_cannot_be_pickled(model, name, text):
    assert text in model(name)["error"]["message"]


class Evil:
    def __reduce__(self):
        return os.mkdir, ("pwned",)


def test_no_other_kind_of_file_is_unpickled(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    store = Store(str(tmp_path))
    for kind in ("npy", "parquet", "arrow", "pickle", "table"):
        ref = store.written(kind, lambda path: pickle.dump(Evil(), open(path, "wb")) or {})
        with pytest.raises(Exception):  # noqa: B017
            values.resolve(dict(ref))
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize("library", ["pandas", "numpy"])
def test_what_has_no_form_of_its_own_may_be_pickled(library, tmp_path, monkeypatch):
    module = pytest.importorskip(library)
    pytest.importorskip("pyarrow")
    value = module.DataFrame({"x": [1, Evil]}) if library == "pandas" else module.array([1, {2}], dtype=object)
    monkeypatch.setattr(kinds, "pickle_allowed", True)
    stored = Store(str(tmp_path)).take({"x": value})["x"]
    assert stored["kind"] == "pickle"
    read = values.resolve(dict(stored))
    assert type(read) is type(value) and str(read) == str(value)
