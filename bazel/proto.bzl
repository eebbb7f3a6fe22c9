"""Protocol Buffers and gRPC stubs with Debian's protoc and grpc_cpp_plugin."""

def sluice_proto(name, srcs, deps = [], grpc = False, visibility = None):
    """A cc_library of the generated code of `srcs`, included as "sluice/area/v1/file.pb.h".

    Args:
      name: name of the cc_library; the descriptors' sources are at name + "_srcs".
      srcs: .proto files below this package, imported by their path from this package.
      deps: other sluice_proto targets of this package that srcs import.
      grpc: whether srcs hold services.
      visibility: as usual.
    """
    native.filegroup(name = name + "_srcs", srcs = srcs + [d + "_srcs" for d in deps])
    stems = [s[:-len(".proto")] for s in srcs]
    endings = [".pb.h", ".pb.cc"] + ([".grpc.pb.h", ".grpc.pb.cc"] if grpc else [])
    command = "protoc -I{0} --cpp_out=$(RULEDIR)".format(native.package_name())
    if grpc:
        command += " --plugin=protoc-gen-grpc=$$(command -v grpc_cpp_plugin) --grpc_out=$(RULEDIR)"
    native.genrule(
        name = name + "_generated",
        srcs = [name + "_srcs"],
        outs = [stem + ending for stem in stems for ending in endings],
        cmd = command + " " + " ".join([native.package_name() + "/" + s for s in srcs]),
    )
    native.cc_library(
        name = name,
        srcs = [stem + e for stem in stems for e in endings if e.endswith(".cc")],
        hdrs = [stem + e for stem in stems for e in endings if e.endswith(".h")],
        copts = ["-w"],
        includes = ["."],
        visibility = visibility,
        deps = deps + ["@system//:protobuf"] + (["@system//:grpc"] if grpc else []),
    )
