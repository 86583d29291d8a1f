"""Values by reference, the result file, hashes."""

import hashlib
import json
import os
import subprocess

import pytest

from trowel_task.store import canonical
from trowel_task.store.fit import ENVIRONMENT
from trowel_task.store.store import Store
from trowel_task.store.values import bytes_of, expanded, resolve

MAKE = """
    import digdag, pathlib
    def put(kind):
        value = {
            "json": [1.5, "é" * 20_000],
            "bytes": b"\\x00\\xff",
            "nested": {"weights": b"abc", "n": 1},
            "file": pathlib.Path("data.csv"),
        }[kind]
        digdag.env.store(v=value)
    def get(v):
        print(type(v).__name__, len(v) if hasattr(v, "__len__") else v.name + "|" + v.read_text())
        assert v == digdag.env.params["v"]
    def nested(v): print(v["weights"], v["n"])
    def ignore(): digdag.env.store(seen=True)
"""


def small(value):
    return len(json.dumps(value)) < 1000


def file_of(host, ref):
    (path,) = (host.root / "values").glob(f"{ref['trowel:ref']}*")
    return path / ref["name"] if ref["kind"] == "file" else path


@pytest.mark.parametrize(
    "kind, printed", [("json", "list 2"), ("bytes", "bytes 2"), ("file", "PosixPath data.csv|a,b\n1,2"), ("nested", None)]
)
def test_large_and_binary_values_travel_by_reference(any_host, kind, printed):
    host = any_host
    host.file("v.py", MAKE)
    host.file("data.csv", "a,b\n1,2\n")
    stored = host.py("v.put", kind=kind)["stored"]
    assert small(stored)
    ref = stored["v"]["weights"] if kind == "nested" else stored["v"]
    data = file_of(host, ref).read_bytes()
    assert (ref["bytes"], ref["trowel:ref"]) == (len(data), hashlib.sha256(data).hexdigest())
    result = host.py("v.nested" if kind == "nested" else "v.get", v=stored["v"])
    assert result["ok"], result
    assert host.log().strip() == (printed or "b'abc' 1")


@pytest.mark.parametrize("around", [lambda x: [x], lambda x: {"k": x}, lambda x: (x,)], ids=["lists", "mappings", "tuples"])
@pytest.mark.parametrize("inner", [1, "z" * 20_000, 2**60], ids=["small", "large", "marked"])
def test_what_is_stored_can_be_read_however_deep(around, inner, tmp_path):
    def nested(levels):
        value = inner
        for _ in range(levels):
            value = around(value)
        return value

    store = Store(str(tmp_path))
    travels = store.encode(store.take({"x": nested(900)}))["x"]
    inside = resolve(travels)
    assert bytes_of(travels) > 0 and len(canonical.digest(expanded(travels))) == 64
    for _ in range(900):
        (inside,) = inside.values() if isinstance(inside, dict) else inside
    assert inside == inner
    with pytest.raises(ValueError, match="'x' cannot be stored: it is nested too deep: lists and mappings may have 900 levels"):
        store.take({"x": nested(901)})


@pytest.mark.parametrize("kind", ["json", "bytes", "file"])
def test_values_and_records_are_their_owners_only(host, kind):
    host.file("t.py", MAKE)
    host.file("data.csv", "a,b\n1,2")
    host.py("t.put", kind=kind)
    files = [path for path in host.root.rglob("*") if path.is_file()]
    assert files and not [path for path in files if path.stat().st_mode & 0o077]


def test_a_reference_is_read_only_when_touched(host):
    host.file("v.py", MAKE)
    gone = {"trowel:ref": "0" * 64, "kind": "json", "bytes": 1}
    assert host.py("v.ignore", v=gone)["ok"]
    message = host.py("v.get", v=gone)["error"]["message"]
    assert f"a stored value is gone, or not of this run: {'0' * 64}.json (FileNotFoundError)" in message


def test_a_value_that_was_changed_is_not_read(host):
    host.file("v.py", MAKE)
    for kind in ("bytes", "json"):
        ref = host.py("v.put", kind=kind)["stored"]["v"]
        file_of(host, ref).write_bytes(b"[1]")
        assert "its sha256" in host.py("v.get", v=ref)["error"]["message"] or "the sha256 of" in host.py("v.get", v=ref)["error"]["message"]


@pytest.mark.parametrize("size", [0, 1, 1 << 20, 33 << 20, (33 << 20) + 1], ids=["empty", "a byte", "a block", "many", "and a byte"])
def test_bytes_and_files_are_hashed_on_their_way(tmp_path, size):
    """What is large, by a thread."""
    store, source = Store(str(tmp_path)), tmp_path / "source"
    data = (os.urandom(997) * (size // 997 + 1))[:size]
    source.write_bytes(data)
    kept = {"bytes": store.bytes_of(data, "bytes", {}), "file": store.file(str(source))}
    name = hashlib.sha256(data).hexdigest()
    for kind, ref in kept.items():
        assert ref == {"trowel:ref": name, "kind": kind, "bytes": size, **({"name": "source"} if kind == "file" else {})}
    source.write_bytes(b"another")  # the copy is not changed by it
    copy = resolve(kept["file"])
    assert copy.read_bytes() == data and copy.stat().st_mode & 0o777 == 0o400
    assert resolve(kept["bytes"]) == data
    changed = data[:-1] + b"!" if data else b"!"
    for path in (copy, tmp_path / "values" / f"{name}.bin"):
        path.chmod(0o600)
        path.write_bytes(changed)
    for ref in kept.values():
        with pytest.raises(ValueError, match="the sha256 of"):
            resolve(ref)


@pytest.mark.parametrize("ref", ["file:///etc/hosts", "../../outside", "a" * 63, 1])
def test_a_reference_leads_to_files_of_values_alone(host, ref):
    host.file("v.py", MAKE)
    forged = {"trowel:ref": ref, "kind": "bytes", "bytes": 1, "sha256": "../../x"}
    assert "its reference is wrong" in host.py("v.get", v=forged)["error"]["message"]


def test_merging_with_a_reference(host):
    host.file(
        "m.py",
        """
        import digdag
        def big(): digdag.env.store(m={"x": "x" * 20_000, "y": 1})
        def more(): digdag.env.store(m={"y": 2})
        def replace(): digdag.env.store(m=[1])
        def look(m): print(len(m["x"]), m["y"])
        """,
    )
    first = host.run("py", "m.big", layers=[{"m": {"z": 0, "y": 0}}], merge=1)["s"]
    base, ref = first["m"]["trowel:map"]
    assert base == {"z": 0, "y": 0} and ref["kind"] == "json"
    second = host.run("py", "m.more", layers=[first], merge=1)["s"]
    assert second["m"] == {"trowel:map": [base, ref], "y": 2}
    assert host.py("m.look", **second)["ok"]
    assert host.log() == "20000 2\n"
    assert host.run("py", "m.replace", layers=[first], merge=1)["s"] == {"m": [1]}


def test_the_whole_environment_stays_small(host):
    host.file("m.py", "import digdag\ndef f():\n  for i in range(30): digdag.env.store({f'k{i}': 'x' * (16000 - i)})\n")
    result = host.run("py", "m.f", layers=[{"outer": "y" * 15_000}], merge=1, frames=[{"far": "z" * 50_000}, {"outer": "y" * 15_000}])
    assert len(json.dumps(result["s"])) < ENVIRONMENT - 50_000
    inline = [key for key, value in result["s"].items() if isinstance(value, str)]
    assert "outer" in inline and "k29" in inline and "k0" not in inline  # the largest go first


def test_tasks_side_by_side_share_the_environment(host):
    host.file("m.py", "import digdag\ndef f():\n  for i in range(30): digdag.env.store({f'k{i}': 'x' * 1000})\n")
    frames = [{"far": "z" * 40_000}, {"outer": "y" * 2_000}]
    # Ten branches, each with an outer layer of its own: what is left, for each a tenth of it.
    result = host.run("py", "m.f", layers=[], merge=0, frames=frames, shares=[[1, 10]])
    assert len(json.dumps(result["s"])) < (ENVIRONMENT - 40_000 - 10 * 2_000) / 10
    alone = host.run("py", "m.f", layers=[], merge=0, frames=frames)
    assert all(isinstance(value, str) for value in alone["s"].values())


def test_sh_sees_paths_of_files_and_text_of_json(host):
    host.file("v.py", MAKE)
    host.file("data.csv", "a,b\n")
    file = host.py("v.put", kind="file")["stored"]["v"]
    text = host.py("v.put", kind="json")["stored"]["v"]
    assert host.run("sh", 'cat "$file"; printf %s "$text" | wc -c', params={"file": file, "text": text})["ok"]
    assert host.log() == "a,b\n40008\n"


@pytest.fixture
def stored(host):
    host.file("r.py", "import digdag\ndef f(n, opt=5):\n  digdag.env.store(y=n, z=digdag.env.params.get('k'))\n")
    path = host.root / "results" / "+main+a.0.json"

    def run(**changes):
        fields = {
            "params": {"n": 1, "k": {"b": 1.0, "a": "é"}, "unused": 1, "session_time": "t", "attempt_id": 1},
            "builtins": {"vars": {"session_time": "t", "attempt_id": 1}, "attempt": {}},
            "keys": ["py>", "n"],
            "result": str(path),
            **changes,
        }
        path.unlink(missing_ok=True)
        result = host.run("py", "r.f", **fields)
        return result, json.loads(path.read_text()) if path.exists() else None

    return run


def sha(text):
    return hashlib.sha256(text.encode()).hexdigest()


def test_result_file(stored, host):
    result, file = stored()
    assert file["result"] == result
    assert file["read"] == {"n": sha("1"), "opt": "", "k": sha('{"a":"é","b":1}')}
    assert file["keys"] == sha('{"n":1,"py>":"r.f"}')
    assert file["module"] == sha((host.project / "r.py").read_text())
    assert result["stored"] == file["stored"] == {"y": 1, "z": {"b": 1.0, "a": "é"}}
    assert os.listdir(host.root / "results") == ["+main+a.0.json"]


def test_a_record_is_as_small_as_the_result(host):
    host.file("m.py", "import digdag\ndef f():\n  for i in range(300): digdag.env.store({f'k{i}': 'x' * 1000})\n")
    path = host.root / "results" / "0.json"
    result = host.run("py", "m.f", layers=[{"outer": 1}], merge=1, frames=[{"outer": 1}], result=str(path))
    stored = json.loads(path.read_text())["stored"]
    assert {**stored, "outer": 1} == result["s"]
    assert len(json.dumps(stored, separators=(",", ":"))) <= ENVIRONMENT


def test_a_failure_is_not_recorded(host):
    path = host.root / "r.json"
    assert not host.run("sh", "exit 1", result=str(path))["ok"]
    assert not path.exists()


@pytest.mark.parametrize(
    "name, params, reads",
    [
        ("all", {"a": 1, "b": 2}, {"a", "b"}),
        ("none", {"a": 1}, set()),
        ("iterate", {"a": 1, "b": 2}, {"a", "b", "py>"}),
        ("contains", {"a": 1, "b": 2}, {"b", "c"}),
    ],
)
def test_what_was_read(host, name, params, reads):
    host.file(
        "t.py",
        """
        import digdag
        def all(**kw): pass
        def none(): pass
        def iterate(): [v for k, v in digdag.env.params.items()]
        def contains(): return "b" in digdag.env.params, digdag.env.params.get("c")
        """,
    )
    read = host.py(f"t.{name}", **params)["read"]
    assert {key for key in read if not key.startswith("_")} - ({"py>"} - reads) == reads


NODE = """
const canonical = (v) => v && typeof v === 'object' && !Array.isArray(v)
  ? '{' + Object.keys(v).sort().map((k) => JSON.stringify(k) + ':' + canonical(v[k])).join(',') + '}'
  : Array.isArray(v) ? '[' + v.map(canonical).join(',') + ']' : JSON.stringify(v);
for (const line of require('fs').readFileSync(0, 'utf8').split('\\n')) if (line) console.log(JSON.stringify(canonical(JSON.parse(line))));
"""


def test_canonical_json_is_what_javascript_makes(tmp_path):
    from trowel_task.store.canonical import canonical

    values = [
        {"b": 1, "a": [True, None, 1.0, -0.0, 1e21, 1e20, 1.5e300, 5e-324, 1e-7, 0.000001, 123456789.125, -2.5]},
        {"\U0001f600": 1, "\uffff": 2, "é": 3, "": 4, "10": 5, "9": 6},
        ["\x00\x1f\x7f\u2028\"\\/\n\t\b\f\r", "\ud800 alone", "\U0001f600", 2**53, 2**53 + 1, -(2**64), 2**70, 10**21, 12345678901234567],
        {}, [], "x", 0.1, 100.0, 1e16, 123e18,
    ]  # fmt: skip
    lines = "\n".join(json.dumps(v) for v in values)
    try:
        made = subprocess.run(["node", "-e", NODE], input=lines, capture_output=True, text=True, check=True)
    except FileNotFoundError:
        pytest.skip("no node")
    assert [canonical(v) for v in values] == [json.loads(line) for line in made.stdout.strip().split("\n")]


@pytest.mark.parametrize("owner, file, folder", [(0, 0o600, 0o700), (1, 0o644, 0o755)])
def test_values_are_their_owners_only_and_those_of_a_containers_other_user_can_be_read(tmp_path, monkeypatch, owner, file, folder):
    me = os.geteuid()
    (tmp_path / "values").mkdir(0o700)
    (tmp_path / "data.csv").write_text("a")
    monkeypatch.setattr(os, "geteuid", lambda: me + owner)
    store = Store(str(tmp_path))
    store.take({"b": b"abc", "f": tmp_path / "data.csv"})
    store.encode({"j": "x" * 20_000})
    made = {
        path.relative_to(tmp_path / "values").suffix or "folder": path.stat().st_mode & 0o777 for path in (tmp_path / "values").rglob("*")
    }
    assert made == {".bin": file, ".json": file, "folder": folder, ".csv": file & 0o444}
