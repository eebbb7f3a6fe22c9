"""Counts the test cases of build event files (bazel test --build_event_json_file=F.json) and of run_fuzz.py's results (F.txt); the last line is
`N passed, N failed`.

A target whose test.xml names its cases counts with each of them, any other target as one. A target that was interrupted, timed out or did not build counts as a
failure. Exit status 1 if anything failed or no test ran.
"""

import json
import sys
import urllib.parse
import urllib.request
import xml.etree.ElementTree


def cases(path):
    """(passed, names of the failed) of a JUnit file; None if it has no cases of its own."""
    try:
        root = xml.etree.ElementTree.parse(path).getroot()
    except (OSError, xml.etree.ElementTree.ParseError):
        return None
    passed, failed = 0, []
    for case in root.iter("testcase"):
        if case.get("status") == "notrun" or case.find("skipped") is not None:
            continue
        if case.find("failure") is not None or case.find("error") is not None:
            failed.append(f"{case.get('classname', '')}.{case.get('name', '')}")
        else:
            passed += 1
    return (passed, failed) if passed or failed else None


def path_of(uri):
    return urllib.request.url2pathname(urllib.parse.urlparse(uri).path)


def count_fuzz(results_file):
    with open(results_file, encoding="utf-8") as lines:
        results = [line.split() for line in lines]
    failed = [label for label, result in results if result != "passed"]
    return len(results) - len(failed), failed


def count(event_file):
    passed, failed = 0, []
    with open(event_file, encoding="utf-8") as lines:
        for line in lines:
            event = json.loads(line)
            if "testResult" in event:
                label = event["id"]["testResult"]["label"]
                ok = event["testResult"].get("status") == "PASSED"
                xml_files = [path_of(o["uri"]) for o in event["testResult"].get("testActionOutput", []) if o["name"] == "test.xml" and "uri" in o]
                known = cases(xml_files[0]) if xml_files else None
                if known and (ok or known[1]):
                    passed += known[0]
                    failed += [f"{label} {name}" for name in known[1]]
                elif ok:
                    passed += 1
                else:
                    failed.append(f"{label} ({event['testResult'].get('status', 'no status').lower()})")
            elif "aborted" in event and "targetCompleted" in event["id"]:
                failed.append(f"{event['id']['targetCompleted']['label']} ({event['aborted'].get('description', 'not built')})")
    return passed, failed


def main(files):
    passed, failed = 0, []
    for file in files:
        some_passed, some_failed = count(file) if file.endswith(".json") else count_fuzz(file)
        passed += some_passed
        failed += [f"{file.rsplit('/', 1)[-1].rsplit('.', 1)[0]}: {name}" for name in some_failed]
    for name in failed:
        print(f"failed: {name}")
    print(f"{passed} passed, {len(failed)} failed")
    return 0 if passed and not failed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
