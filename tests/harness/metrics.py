"""What a program says at its metrics endpoint."""

import re
import urllib.request


def metric(namespace, address, name):
    """The value of the metric `name`, one without labels, at `address` (HOST:PORT) in `namespace`."""
    with namespace.entered(), urllib.request.urlopen(f"http://{address}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    return float(re.search(rf"^{name} (\S+)$", text, re.MULTILINE).group(1))
