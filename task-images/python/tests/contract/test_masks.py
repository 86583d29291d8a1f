"""What is hidden of a secret, by the cases that the host's masker has too."""

import base64
import html
import json
import pathlib
import shlex
import urllib.parse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trowel_task.contract.masks import MASK, Masker

CASES = json.loads((pathlib.Path(__file__).parents[4] / "test/lib/expression/masked.json").read_text(encoding="utf-8"))["cases"]
FORMS = {
    "as it is": str,
    "repr": repr,
    "ascii": ascii,
    "json": json.dumps,
    "json, not ascii": lambda text: json.dumps(text, ensure_ascii=False),
    "json in json": lambda text: json.dumps(json.dumps(text)),
    "url": lambda text: urllib.parse.quote(text, safe=""),
    "path": urllib.parse.quote,
    "form": urllib.parse.quote_plus,
    "html": html.escape,
    "html of json": lambda text: html.escape(json.dumps(text)),
    "bytes": lambda text: repr(text.encode()),
    "shell": shlex.quote,
    "shell, traced": lambda text: "'" + text.replace("'", "'\\''") + "'",
    "repr of repr": lambda text: repr(repr(text)),
}
secrets = st.text(st.characters(blacklist_categories=("Cs",)), min_size=4, max_size=30).filter(lambda text: len(text.strip()) >= 4)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_hides(case):
    assert Masker(case["secrets"]).text(case["text"]) == case["masked"]


@pytest.mark.parametrize("form", FORMS)
@given(secrets)
def test_hides_any_value(form, secret):
    shown = FORMS[form](secret)
    core = shown[1:-1] if form in ("repr", "ascii", "json", "json, not ascii") else shown
    masked = Masker([secret]).text(f"<{shown}>")
    assert MASK in masked
    assert core not in masked.replace(MASK, "") or core == ""


@given(st.binary(max_size=5), st.text("abcdefghijklmnop0123456789/+", min_size=8, max_size=40), st.binary(max_size=5))
def test_hides_what_base64_has_of_it(before, secret, after):
    encoded = base64.b64encode(before + secret.encode() + after).decode()
    assert MASK in Masker([secret]).text(encoded)
