import pytest

from bracketseg.learning.free_memory import free_memory

REPORT = "MemTotal:       24684000 kB\nMemFree:         1000000 kB\nMemAvailable:    2000000 kB\n"


def no_limit():
    return None


def absent():
    raise FileNotFoundError("/proc/meminfo")


def test_linux_says_what_is_available():
    assert free_memory(lambda: REPORT, groups=no_limit) == 2_000_000 * 1024


@pytest.mark.parametrize("report", [absent, lambda: "MemTotal: 5 kB\n"])
def test_elsewhere_the_free_pages_count(report):
    figures = {"SC_AVPHYS_PAGES": 1000, "SC_PAGE_SIZE": 4096}
    assert free_memory(report, figures.__getitem__, no_limit) == 4_096_000


def unknown(name):
    raise ValueError("unrecognized configuration name")


@pytest.mark.parametrize("system", [unknown, lambda _name: -1])
def test_a_system_may_not_know(system):
    assert free_memory(absent, system, no_limit) is None


def test_this_machine_has_some():
    found = free_memory()
    assert found is None or found > 2**20
