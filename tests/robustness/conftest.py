import sys

# They make pipes, links, locks and signals that Windows has not.
collect_ignore_glob = ["test_*.py"] if sys.platform == "win32" else []
