"""Hands over a frame of 100 MB, 1 GB of bytes and 1,000 keys from one task to the next: `python bench/values.py [REPEATS]`.

Next to it, in turn: the same workflow whose tasks write and read a plain file instead, and one whose tasks make the value and hand over
nothing. Needs pandas and pyarrow in the Python that runs it, which is also that of the tasks, and dist/ (`npm run build`). Medians of whole
runs, in seconds; docs/performance.md has them.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

TROWEL = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "dist", "trowel.js")

MAKE = {
    "frame": "pd.DataFrame(np.random.default_rng(0).random((1_250_000, 10)), columns=list('abcdefghij'))",
    "blob": "bytes(1 << 20) * 1024",
    "keys": "{f'key{n}': {'n': n, 'text': 'x' * 90} for n in range(1000)}",
}
SEEN = {"frame": "float(value.a.sum())", "blob": "len(value)", "keys": "len(value)"}
WRITE = {
    "frame": "value.to_parquet('value.parquet')",
    "blob": "open('value.bin', 'wb').write(value)",
    "keys": "json.dump(value, open('value.json', 'w'))",
}
READ = {
    "frame": "pd.read_parquet('value.parquet')",
    "blob": "open('value.bin', 'rb').read()",
    "keys": "json.load(open('value.json'))",
}
IMPORTS = {"frame": "import numpy as np, pandas as pd, pyarrow.parquet", "blob": "", "keys": "import json"}


def project(kind: str, folder: str) -> None:
    store, take = "digdag.env.store(value=value)", "value = digdag.env.params['value']"
    if kind == "keys":
        store, take = "digdag.env.store(value)", "value = {k: v for k, v in digdag.env.params.items() if k.startswith('key')}"
    ways = {"trowel": (store, take), "plain": (WRITE[kind], f"value = {READ[kind]}"), "empty": ("pass", f"value = {MAKE[kind]}")}
    for name, (make, use) in ways.items():
        write(folder, f"{name}.dig", f"+make: {{py>: {name}.make}}\n+use: {{py>: {name}.use}}\n")
        first = f"def make():\n    value = {MAKE[kind]}\n    {make}\n" if name != "empty" else "def make(): pass\n"
        write(folder, f"{name}.py", f"{IMPORTS[kind]}\nimport digdag\n{first}def use():\n    {use}\n    print({SEEN[kind]})\n")
    write(folder, "trowel.yml", f"python: {{preload: [{'numpy, pandas, pyarrow.parquet' if kind == 'frame' else 'json'}]}}\n")


def write(folder: str, name: str, text: str) -> None:
    with open(os.path.join(folder, name), "w") as file:
        file.write(text)


def timed(folder: str, workflow: str) -> float:
    env = {**os.environ, "PATH": os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"]}
    began = time.monotonic()
    done = subprocess.run(["node", TROWEL, "run", f"{workflow}.dig"], cwd=folder, env=env, capture_output=True, text=True)
    took = time.monotonic() - began
    if done.returncode:
        sys.exit(f"{workflow} failed in {folder}:\n{done.stdout}{done.stderr}")
    shutil.rmtree(os.path.join(folder, ".trowel"), ignore_errors=True)
    for name in os.listdir(folder):
        if name.startswith("value."):
            os.unlink(os.path.join(folder, name))
    return took


def main(repeats: int) -> None:
    print("| | stored | plain file | made only | stored, more than a plain file |\n|---|---|---|---|---|")
    for kind, name in (("frame", "a frame of 100 MB"), ("blob", "1 GB of bytes"), ("keys", "1,000 keys")):
        with tempfile.TemporaryDirectory() as folder:
            project(kind, folder)
            ways = ("trowel", "plain", "empty")
            taken: dict[str, list[float]] = {way: [] for way in ways}
            for _ in range(repeats):
                for way in ways:
                    taken[way].append(timed(folder, way))
            medians = [statistics.median(taken[way]) for way in ways]
            shown = [f"{statistics.median(times):.2f} ({min(times):.2f}–{max(times):.2f})" for times in taken.values()]
            print(f"| {name} | {' | '.join(shown)} | {medians[0] - medians[1]:+.2f} |", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 7)
