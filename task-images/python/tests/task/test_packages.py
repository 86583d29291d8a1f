"""child.py: pip inside a task installs into a place of the task's own."""

import os
import subprocess
import sys
import zipfile

import pytest


def wheel(folder, version):
    """A wheel made by hand: no network, no build tool."""
    path = folder / f"trowel_test_pkg-{version}-py3-none-any.whl"
    info = f"trowel_test_pkg-{version}.dist-info"
    with zipfile.ZipFile(path, "w") as z:
        z.writestr("trowel_test_pkg.py", f"version = '{version}'\ndef main(): print('script', version)\n")
        z.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: trowel-test-pkg\nVersion: {version}\n")
        z.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        z.writestr(f"{info}/entry_points.txt", "[console_scripts]\ntrowel-test-pkg = trowel_test_pkg:main\n")
        z.writestr(f"{info}/RECORD", "")
    return path


INSTALL = """
    import os, subprocess, sys
    PIP = "-m pip install --quiet --disable-pip-version-check --no-index --find-links wheels --upgrade trowel_test_pkg=="
    def by_system(version):
        assert os.system(f"{sys.executable} {PIP}{version}") == 0
        use()
    def by_run(version):
        subprocess.run([sys.executable, *f"{PIP}{version}".split()], check=True)
        use()
    def use():
        import trowel_test_pkg
        print("version", trowel_test_pkg.version, flush=True)
        subprocess.run([sys.executable, "-c", "import trowel_test_pkg; print('sub', trowel_test_pkg.version)"])
        subprocess.run(["trowel-test-pkg"])
"""


@pytest.mark.parametrize("name", ["by_system", "by_run"])
@pytest.mark.slow
def test_install_in_a_task(start_host, tmp_path, name):
    if subprocess.run([sys.executable, "-m", "pip", "--version"], capture_output=True).returncode:
        pytest.skip("no pip")
    (tmp_path / "tmp").mkdir()
    (tmp_path / "wheels").mkdir()
    for version in ("1.0", "2.0"):
        wheel(tmp_path / "wheels", version)
    host = start_host(env={"TMPDIR": str(tmp_path / "tmp")})
    host.file("i.py", INSTALL)
    for version in ("1.0", "2.0"):
        result = host.run("py", f"i.{name}", params={"version": version}, patience=120)
        assert result["ok"], host.log()
    lines = [line for line in host.log().splitlines() if line.split()[0] in ("version", "sub", "script")]
    assert lines == [f"{word} {v}" for v in ("1.0", "2.0") for word in ("version", "sub", "script")]
    after = host.py("i.use")
    assert "No module named 'trowel_test_pkg'" in after["error"]["message"]
    assert subprocess.run([sys.executable, "-c", "import trowel_test_pkg"], capture_output=True).returncode
    host.close()
    assert os.listdir(tmp_path / "tmp") == []


@pytest.mark.slow
def test_install_over_an_older_version_of_the_environment(start_host, tmp_path):
    environment = tmp_path / "env"
    made = subprocess.run([sys.executable, "-m", "venv", str(environment)], capture_output=True)
    if made.returncode:
        pytest.skip("no venv")
    (tmp_path / "wheels").mkdir()
    for version in ("1.0", "2.0"):
        wheel(tmp_path / "wheels", version)
    python = str(environment / "bin" / "python")
    pip = [python, "-m", "pip", "install", "--quiet", "--no-index", "--find-links", str(tmp_path / "wheels"), "trowel_test_pkg==1.0"]
    subprocess.run(pip, check=True)
    host = start_host(python=python)
    host.file("i.py", INSTALL)
    assert host.run("py", "i.by_run", params={"version": "2.0"}, patience=120)["ok"], host.log()
    assert "version 2.0" in host.log()
    assert host.py("i.use")["ok"]
    assert host.log().rstrip().endswith("version 1.0\nsub 1.0\nscript 1.0")
    # the environment's programs are on the PATH of sh>
    id = host.start("sh", "command -v python; command -v pip")
    host.wait("result", id=id)
    assert host.log(id) == f"{python}\n{environment}/bin/pip\n"
