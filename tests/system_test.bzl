"""System tests: Python scripts that run the programs in network namespaces, as root, one at a time."""

_PROGRAMS = {
    "--controller": "//signaling/service:sluice-controller",
    "--ctl": "//cli:sluicectl",
    "--relay": "//datapath/service:sluice-relay",
}

# Root and namespaces, and one at a time, since they measure.
_SYSTEM_TAGS = [
    "exclusive",
    "local",
    "root",
]

def python_test(name, script, args = [], data = [], tags = _SYSTEM_TAGS, **kwargs):
    """A test that is a Python script.

    Args:
      name: of the target.
      script: the script, in this package or below.
      args: for the script.
      data: files that it reads besides harness and phone.
      tags: of the target; those of a system test unless told.
      **kwargs: passed to sh_test.
    """
    native.sh_test(
        name = name,
        srcs = ["//tests:python_test.sh"],
        args = ["tests/" + script] + args,
        data = [
            script,
            "//tests:harness",
        ] + data,
        tags = tags,
        **kwargs
    )

def system_test(name, script, args = [], data = [], **kwargs):
    """A python_test that gets the three programs.

    Args:
      name: of the target.
      script: the script.
      args: more arguments for it.
      data: more files that it reads.
      **kwargs: passed to sh_test.
    """
    programs = []
    for flag, label in _PROGRAMS.items():
        programs += [flag, "$(rootpath %s)" % label]
    python_test(
        name = name,
        script = script,
        args = programs + args,
        data = data + _PROGRAMS.values(),
        **kwargs
    )
