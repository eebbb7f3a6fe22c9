#!/bin/sh
# Runs one Python test of this folder: python_test.sh tests/x_test.py arguments... Bazel's own py_test wants a `python` that Debian has not.
PYTHONPATH=tests:. PYTHONDONTWRITEBYTECODE=1 exec python3 "$@"
