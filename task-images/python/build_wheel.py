"""Builds the wheel of this package with nothing but the standard library (PEP 517), so that `pip install` of the folder needs no network.

pyproject.toml is the only place of name, version and the rest; Python 3.9 has no parser for it, so its lines are read as they are written.
"""

from __future__ import annotations

import base64
import hashlib
import re
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
SOURCE = HERE / "src"


def build_wheel(wheel_directory: str, config_settings: object = None, metadata_directory: object = None) -> str:
    name, version = _field("name").replace("-", "_"), _field("version")
    metadata = f"Metadata-Version: 2.1\nName: {_field('name')}\nVersion: {version}\nSummary: {_field('description')}\n"
    about = {
        "METADATA": f"{metadata}License: Apache-2.0\nRequires-Python: {_field('requires-python')}\n",
        "WHEEL": "Wheel-Version: 1.0\nGenerator: trowel\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "entry_points.txt": "[pytest11]\n{} = {}\n".format(*_match(r'^\[project\.entry-points\.pytest11\]\n"(.*)" = "(.*)"$')),
    }
    info = f"{name}-{version}.dist-info"
    files = {path.relative_to(SOURCE).as_posix(): path.read_bytes() for path in sorted(SOURCE.rglob("*")) if _belongs(path)}
    files.update({f"{info}/{each}": text.encode() for each, text in about.items()})
    record = "".join(f"{path},sha256={_hash(data)},{len(data)}\n" for path, data in files.items())
    wheel = f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(Path(wheel_directory) / wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in {**files, f"{info}/RECORD": f"{record}{info}/RECORD,,\n".encode()}.items():
            archive.writestr(path, data)
    return wheel


def build_sdist(sdist_directory: str, config_settings: object = None) -> str:
    raise NotImplementedError("only wheels are built of this package: pip wheel .")


def _field(name: str) -> str:
    return _match(rf'^{name} = "(.*)"$')[0]


def _match(pattern: str) -> tuple[str, ...]:
    match = re.search(pattern, (HERE / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)
    if match is None:
        raise ValueError(f"pyproject.toml has no {pattern}")
    return match.groups()


def _belongs(path: Path) -> bool:
    return path.suffix in (".py", ".pyi") or path.name == "py.typed"


def _hash(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
