"""One repository, @system, with a target for each library that Debian installs."""

# name: (pkg-config module or None, link options or None for those of pkg-config)
#
# Link options are given where pkg-config's are not what we want: DPDK's name fifty libraries, of which we use a dozen, and it must be
# linked shared, because drivers and mempool handlers are plugins that EAL loads only when EAL itself is shared.
_LIBRARIES = {
    "absl_base": ("absl_base", None),
    "absl_cleanup": ("absl_cleanup", None),
    "absl_flags": ("absl_flags_parse absl_flags absl_flags_usage", None),
    "absl_hash": ("absl_hash", None),
    "absl_containers": ("absl_flat_hash_map absl_flat_hash_set absl_inlined_vector absl_btree", None),
    "absl_random": ("absl_random_random", None),
    "absl_span": ("absl_span", None),
    "absl_status": ("absl_status absl_statusor", None),
    "absl_strings": ("absl_strings absl_str_format absl_cord", None),
    "absl_synchronization": ("absl_synchronization", None),
    "absl_time": ("absl_time", None),
    "benchmark": (None, ["-lbenchmark", "-lpthread"]),
    "boost": (None, ["-lpthread"]),
    "cares": ("libcares", None),
    "dpdk": ("libdpdk", [
        "-lrte_eal",
        "-lrte_ethdev",
        "-lrte_mbuf",
        "-lrte_mempool",
        "-lrte_net",
        "-lrte_ring",
        "-lrte_rcu",
        "-lrte_hash",
        "-lrte_bus_vdev",
        "-lrte_kvargs",
        "-lrte_telemetry",
    ]),
    "dpdk_net_ring": (None, [
        "-L/usr/lib/x86_64-linux-gnu/dpdk/pmds-23.0",
        "-Wl,-rpath,/usr/lib/x86_64-linux-gnu/dpdk/pmds-23.0",
        "-l:librte_net_ring.so.23",
    ]),
    "grpc": ("grpc++", ["-lgrpc++", "-lgrpc", "-lgpr", "-lprotobuf"]),
    "grpc_reflection": (None, ["-lgrpc++_reflection"]),
    "gtest": ("gtest gmock", None),
    "gtest_main": ("gmock_main gmock gtest", None),
    "hiredis": ("hiredis", None),
    "libbpf": ("libbpf", None),
    "libnl_route": ("libnl-3.0 libnl-route-3.0", None),
    "libpq": ("libpq", None),
    "openssl": ("openssl", None),
    "prometheus": (None, ["-lprometheus-cpp-pull", "-lprometheus-cpp-core", "-lz"]),
    "protobuf": ("protobuf", None),
    "spdlog": ("spdlog", None),
    "sqlite": ("sqlite3", None),
    "tcmalloc": ("libtcmalloc_minimal", None),
    "yaml_cpp": ("yaml-cpp", None),
}

# Folders that gcc searches anyway; naming them again would only change the search order.
_DEFAULT_FOLDERS = ["/usr/include", "/usr/include/x86_64-linux-gnu"]

def _pkg_config(ctx, modules, flag):
    result = ctx.execute(["pkg-config", flag] + modules.split(" "))
    if result.return_code != 0:
        fail("pkg-config %s %s: %s (./dev build installs what is missing)" % (flag, modules, result.stderr.strip()))
    return [word for word in result.stdout.strip().split(" ") if word]

def _unique(words):
    seen = {}
    for word in words:
        seen[word] = True
    return seen.keys()

def _impl(ctx):
    targets = ["package(default_visibility = [\"//visibility:public\"])"]
    for name, (modules, linkopts) in _LIBRARIES.items():
        includes = []
        defines = []
        if modules:
            for index, word in enumerate(_pkg_config(ctx, modules, "--cflags")):
                if word.startswith("-I") and word[2:] not in _DEFAULT_FOLDERS:
                    link = "%s/include%d" % (name, index)
                    ctx.symlink(word[2:], link)
                    includes.append(link)
                elif word.startswith("-D"):
                    defines.append(word[2:])
            if linkopts == None:
                linkopts = [
                    word
                    for word in _pkg_config(ctx, modules, "--libs")
                    if not word.startswith("-Wl,--") and not word.startswith("-L")
                ]
        targets.append("""
cc_library(
    name = {name},
    hdrs = glob({globs}, allow_empty = True),
    includes = {includes},
    defines = {defines},
    linkopts = {linkopts},
)""".format(
            name = repr(name),
            globs = repr([i + "/**/*.h" for i in _unique(includes)]),
            includes = repr(_unique(includes)),
            defines = repr(_unique(defines)),
            linkopts = repr(_unique(linkopts)),
        ))
    ctx.file("BUILD.bazel", "\n".join(targets) + "\n")

system_libraries = repository_rule(
    implementation = _impl,
    configure = True,
    local = True,
    doc = "Finds the libraries by pkg-config and makes one cc_library a library.",
)
