"""What a container lets a process take, told by files as Linux writes them."""

import pytest

from bracketseg.learning.control_groups import free_in_groups
from bracketseg.learning.free_memory import free_memory

GB = 10**9


@pytest.fixture
def write(tmp_path):
    def write(name, text):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n")

    return write


def group(write, place, limit, usage, cache=0, version=2):
    """Write the files of a control group."""
    names = {
        2: ("memory.max", "memory.current", "inactive_file"),
        1: ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    }[version]
    write(f"{place}/{names[0]}", limit)
    write(f"{place}/{names[1]}", usage)
    write(f"{place}/memory.stat", f"anon 5\n{names[2]} {cache}\nactive_file 7")


def test_the_second_version_counts_what_can_be_read_again_as_free(write, tmp_path):
    write("proc/self/cgroup", "0::/job.slice/step")
    group(write, "sys/fs/cgroup/job.slice/step", 4 * GB, 3 * GB, cache=GB)
    assert free_in_groups(tmp_path) == 2 * GB


def test_the_tightest_of_the_groups_around_counts(write, tmp_path):
    write("proc/self/cgroup", "0::/job.slice/step")
    group(write, "sys/fs/cgroup/job.slice/step", "max", GB)
    group(write, "sys/fs/cgroup/job.slice", 3 * GB, 2 * GB)
    group(write, "sys/fs/cgroup", 9 * GB, 2 * GB)
    assert free_in_groups(tmp_path) == GB


def test_the_first_version_has_names_of_its_own(write, tmp_path):
    write("proc/self/cgroup", "5:cpu,cpuacct:/a\n4:memory:/a\n1:name=systemd:/a")
    group(write, "sys/fs/cgroup/memory/a", 2 * GB, GB, cache=GB // 2, version=1)
    group(write, "sys/fs/cgroup/memory", 9223372036854771712, GB, version=1)
    assert free_in_groups(tmp_path) == 3 * GB // 2


def test_in_a_container_the_path_is_that_of_the_host(write, tmp_path):
    write("proc/self/cgroup", "4:memory:/docker/0123")
    group(write, "sys/fs/cgroup/memory", 2 * GB, GB, version=1)
    assert free_in_groups(tmp_path) == GB


def test_more_than_the_limit_leaves_nothing(write, tmp_path):
    write("proc/self/cgroup", "0::/")
    group(write, "sys/fs/cgroup", GB, 2 * GB)
    assert free_in_groups(tmp_path) == 0


@pytest.mark.parametrize("text", ["", "0::/", "garbage", "4:memory"])
def test_without_a_limit_nothing_is_said(write, tmp_path, text):
    assert free_in_groups(tmp_path) is None
    write("proc/self/cgroup", text)
    group(write, "sys/fs/cgroup", "max", GB)
    assert free_in_groups(tmp_path) is None


@pytest.mark.parametrize(("group_free", "expected"), [(None, 2048), (1000, 1000), (9999, 2048)])
def test_the_smaller_of_machine_and_group_is_free(group_free, expected):
    found = free_memory(lambda: "MemAvailable: 2 kB", groups=lambda: group_free)
    assert found == expected
