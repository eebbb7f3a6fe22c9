"""Runs libFuzzer targets that were built with --config=fuzz, each for some seconds from its corpus, a few at a time.

    python3 bazel/run_fuzz.py --bin BAZEL_BIN --seconds 60 --artifacts FOLDER [--results FILE] //room:target_fuzz ...

Prints a line a target. An input that makes a target fail is kept in FOLDER and named. FILE gets a line "LABEL passed" or "LABEL failed" for each.
The last line is `N passed, N failed`; exit status 1 if any failed.
"""

import argparse
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
import tempfile


def corpus_files(binary):
    """The files that the target's BUILD rule names: all of its runfiles but the binary itself."""
    root = binary + ".runfiles"
    for folder, _, names in os.walk(root):
        for name in names:
            path = os.path.join(folder, name)
            if name != "MANIFEST" and os.path.realpath(path) != os.path.realpath(binary):
                yield path


def run(label, options):
    name = label.lstrip("/").replace(":", "/")
    binary = os.path.join(options.bin, name)
    artifacts = os.path.join(options.artifacts, name.replace("/", "-"))
    os.makedirs(artifacts, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="sluice-fuzz-") as folder:
        dictionary = []
        for index, path in enumerate(corpus_files(binary)):
            if path.endswith(".dict"):
                dictionary = [f"-dict={path}"]
            else:
                shutil.copyfile(path, os.path.join(folder, f"seed-{index}"))
        result = subprocess.run([binary, f"-max_total_time={options.seconds}", "-rss_limit_mb=2048", "-timeout=10", "-print_final_stats=1", *dictionary,
                                 f"-artifact_prefix={artifacts}/", folder], capture_output=True, text=True, errors="replace", check=False)
    runs = re.search(r"number_of_executed_units:\s*(\d+)", result.stderr)
    coverage = re.findall(r"cov: (\d+)", result.stderr)
    print(f"{label}: {'ok' if result.returncode == 0 else 'FAILED'}, {runs.group(1) if runs else 0} inputs, coverage {coverage[-1] if coverage else 0}", flush=True)
    if result.returncode != 0:
        print(result.stderr[-4000:], file=sys.stderr)
        print(f"{label}: the input is in {artifacts}; run {binary} with it to repeat", file=sys.stderr, flush=True)
    return result.returncode == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--artifacts", required=True)
    parser.add_argument("--results")
    parser.add_argument("targets", nargs="+")
    options = parser.parse_args()
    with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        good = list(pool.map(lambda label: run(label, options), options.targets))
    if options.results:
        with open(options.results, "w", encoding="utf-8") as results:
            results.writelines(f"{label} {'passed' if ok else 'failed'}\n" for label, ok in zip(options.targets, good))
    print(f"{sum(good)} passed, {len(good) - sum(good)} failed")
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
