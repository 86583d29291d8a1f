"""Packages that a task installs for itself. Name the version: a workflow that runs every night should run the same code."""

import importlib
import os
import shutil
import subprocess
import sys


def install_and_use(package):
    """What pip installs goes into a folder of this task's own, which is gone afterwards."""
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--upgrade", package], check=True
    )
    importlib.invalidate_caches()
    from tabulate import tabulate

    print(tabulate([["customer-1", 3], ["customer-2", 5]], headers=["customer", "orders"]))
    print(f"from {'a folder of the task' if in_own_folder() else 'the environment'}")


def install_by_shell(package):
    """The same through a shell."""
    status = os.system(f"{sys.executable} -m pip install --quiet --disable-pip-version-check --upgrade {package}")
    if status != 0:
        raise RuntimeError(f"pip failed: {package}")
    importlib.invalidate_caches()
    import tabulate

    print(f"tabulate {tabulate.__version__}")


def without_it():
    """Another task does not see it."""
    try:
        import tabulate
    except ImportError:
        print("tabulate is not here")
    else:
        print(f"tabulate {tabulate.__version__} is in the environment")


def in_own_folder():
    import tabulate

    return not os.path.abspath(tabulate.__file__).startswith(os.path.abspath(sys.prefix) + os.sep)


def install_os_package(command, package, install_os_packages=False):
    """Programs of the operating system. Deployed, `apt: [...]` in trowel.yml puts them into the image, once."""
    if shutil.which(command):
        print(f"{command} is here")
    elif str(install_os_packages) == "true" or install_os_packages is True:
        subprocess.run(["apt-get", "update"], check=True)  # before any install
        subprocess.run(["apt-get", "install", "-y", package], check=True)
    else:
        print(f"{command} is not here: add it to trowel.yml as apt: [{package}]")
