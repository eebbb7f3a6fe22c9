"""Fuzz targets that are also tests."""

def sluice_fuzz_test(name, srcs, deps, corpus = [], dictionary = None, tags = [], **kwargs):
    """A libFuzzer target in --config=fuzz; else a test that replays the corpus and a fixed number of seeded mutations of it.

    Args:
      name: name of the target, ending in _fuzz.
      srcs: a file with LLVMFuzzerTestOneInput.
      deps: what it tests.
      corpus: files, one input each.
      dictionary: libFuzzer dictionary, if any.
      tags: as usual; "fuzz" is added.
      **kwargs: as usual.
    """
    native.cc_test(
        name = name,
        srcs = srcs,
        args = ["$(locations %s)" % c for c in corpus],
        data = corpus + ([dictionary] if dictionary else []),
        linkopts = select({
            "//bazel:libfuzzer": ["-fsanitize=fuzzer"],
            "//conditions:default": [],
        }),
        tags = tags + ["fuzz"],
        deps = deps + select({
            "//bazel:libfuzzer": [],
            "//conditions:default": ["//bazel:fuzz_replay_main"],
        }),
        **kwargs
    )
