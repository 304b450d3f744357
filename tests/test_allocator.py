import platform
import subprocess
import sys

from bracketseg.allocator import keep_freed_memory


def test_it_is_taken_where_the_c_library_is_glibc_and_harmless_elsewhere():
    # In a process of its own: it cannot be undone.
    code = "from bracketseg.allocator import keep_freed_memory; print(keep_freed_memory())"
    called = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert called.stdout.decode().strip() == str(platform.libc_ver()[0] == "glibc")


def test_other_systems_are_left_alone(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    assert keep_freed_memory() is False
