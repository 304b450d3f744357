"""What is installed: lazy imports, the manifest, the sample data, and how the package is built."""

import json
import os
import subprocess
import sys
import tarfile
import zipfile
from importlib.metadata import distribution, requires
from importlib.resources import files
from pathlib import Path

import pytest
from npe2 import PluginManifest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
QT = {"PyQt5", "PyQt6", "PySide2", "PySide6", "qtpy", "superqt"}
NAPARI = {"napari", "magicgui", "vispy"}
MODELS = {"README.md", "high.safetensors", "low.safetensors"}
REQUIREMENTS = [Requirement(line) for line in requires("bracketseg") or []]


def run_python(code: str, cwd: Path, path: Path | None = None) -> str:
    """Run code in a Python of its own and give what it printed."""
    environment = os.environ | ({"PYTHONPATH": str(path)} if path else {})
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=cwd,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def imported_by(code: str, cwd: Path) -> set[str]:
    """Give the top-level modules that a Python of its own holds after running code."""
    report = "\nimport json, sys\nprint(json.dumps([m.partition('.')[0] for m in sys.modules]))"
    return set(json.loads(run_python(code + report, cwd).splitlines()[-1]))


@pytest.mark.parametrize(
    "module",
    [
        "bracketseg",
        "bracketseg.brackets.layouts",
        "bracketseg.labeling.label_folder",
        "bracketseg.evaluation.folders",
        "bracketseg.fusion.fuse_folder",
        "bracketseg.learning",
        "bracketseg.learning.config",
        "bracketseg.learning.shipped",
        "bracketseg.cli",
    ],
)
def test_importing_loads_neither_qt_nor_napari_nor_torch(module: str, tmp_path: Path) -> None:
    imported = imported_by(f"import {module}", tmp_path)
    assert "bracketseg" in imported
    assert imported.isdisjoint(QT | NAPARI | {"torch"})


def test_help_of_the_command_loads_no_torch(tmp_path: Path) -> None:
    code = """
import sys
from bracketseg.cli import main
sys.argv = ["bracketseg", "--help"]
try:
    main()
except SystemExit as end:
    assert not end.code
"""
    assert imported_by(code, tmp_path).isdisjoint(QT | NAPARI | {"torch"})


def required(extra: str) -> list[Requirement]:
    """Give what a person gets who installs bracketseg with an extra, or with none ("")."""
    given = {"extra": extra}
    return [r for r in REQUIREMENTS if r.marker is None or r.marker.evaluate(given)]


def test_base_dependencies_hold_no_qt_and_no_napari() -> None:
    base = {r.name.lower() for r in required("")}
    assert "torch" in base
    assert base.isdisjoint({"napari", "pyqt5", "pyqt6", "pyside2", "pyside6", "opencv-python"})


@pytest.mark.parametrize("extra", ["", "all"])
def test_users_get_no_upper_pins(extra: str) -> None:
    assert {s.operator for r in required(extra) for s in r.specifier} == {">="}


def test_manifest_carries_the_name_of_the_distribution() -> None:
    manifest = PluginManifest.from_distribution("bracketseg")
    assert manifest.name == distribution("bracketseg").metadata["Name"] == "bracketseg"


def test_functions_that_the_manifest_names_exist() -> None:
    manifest = PluginManifest.from_distribution("bracketseg")
    manifest.validate_imports()


def test_manifest_in_the_package_is_the_one_at_the_top_level() -> None:
    inside = (files("bracketseg") / "napari.yaml").read_text(encoding="utf-8")
    assert inside == (ROOT / "napari.yaml").read_text(encoding="utf-8")


def test_sample_data_are_read_from_the_package() -> None:
    brackets = files("bracketseg") / "sample_data" / "brackets"
    frames = [f for scene in brackets.iterdir() if scene.is_dir() for f in scene.iterdir()]
    assert len(frames) >= 12 * 3
    assert all(frame.read_bytes() for frame in frames)


def test_tests_run_on_the_editable_install() -> None:
    assert Path(str(files("bracketseg"))).resolve() == ROOT / "src" / "bracketseg"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the sdist and, from it, the wheel, without a network."""
    out = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(ROOT)],
        check=True,
        capture_output=True,
    )
    return out


def test_sdist_holds_what_building_and_testing_need(built: Path) -> None:
    with tarfile.open(next(built.glob("*.tar.gz"))) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    assert names >= {
        "pyproject.toml",
        "constraints.txt",
        "Makefile",
        "napari.yaml",
        "README.md",
        "LICENSE",
        "tests/test_package.py",
        "src/bracketseg/__init__.py",
        "src/bracketseg/napari.yaml",
        *(f"src/bracketseg/models/{name}" for name in MODELS),
    }
    assert any(name.startswith("sample_data/brackets/") for name in names)


def test_wheel_holds_the_package_its_manifest_and_the_sample_data(built: Path) -> None:
    with zipfile.ZipFile(next(built.glob("*.whl"))) as wheel:
        names = set(wheel.namelist())
        manifest = wheel.read("bracketseg/napari.yaml").decode()
    assert manifest == (ROOT / "napari.yaml").read_text(encoding="utf-8")
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {"bracketseg"}

    package = ROOT / "src" / "bracketseg"
    modules = {
        p.relative_to(package.parent).as_posix()
        for p in package.rglob("*")
        if p.suffix in {".py", ".pyi", ".html", ".css"}
    }
    samples = ROOT / "sample_data"
    data = {
        f"bracketseg/sample_data/{p.relative_to(samples).as_posix()}"
        for p in samples.rglob("*")
        if p.is_file() and p.suffix not in {".py", ".pyc"}
    }
    ours = {name for name in names if not name.startswith("bracketseg-")}
    models = {f"bracketseg/models/{name}" for name in MODELS}
    assert ours == modules | data | models | {"bracketseg/napari.yaml", "bracketseg/py.typed"}


def test_wheel_works_where_it_is_installed(built: Path, tmp_path: Path) -> None:
    place = tmp_path / "installed"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    wheel = next(built.glob("*.whl"))
    subprocess.run([*pip, "--target", str(place), str(wheel)], check=True, capture_output=True)
    code = """
from importlib.metadata import distribution
from importlib.resources import files
from npe2 import PluginManifest
import bracketseg
from bracketseg.learning.shipped import shipped_model
print(bracketseg.__file__)
assert shipped_model("low").is_file() and shipped_model("high").is_file()
PluginManifest.from_distribution("bracketseg").validate_imports()
command, = distribution("bracketseg").entry_points.select(group="console_scripts")
assert callable(command.load())
assert (files("bracketseg") / "sample_data" / "brackets").is_dir()
"""
    where = run_python(code, tmp_path, path=place).strip()
    assert Path(where).is_relative_to(place)
