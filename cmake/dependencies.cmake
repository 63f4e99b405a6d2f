# Every library Tandem stands on, found the same way on Debian 12 and 13.
include(cmake/client_dependencies.cmake)
find_package(OpenMP REQUIRED COMPONENTS CXX)
find_package(OpenSSL REQUIRED)
find_package(dnnl 3 CONFIG REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(spdlog REQUIRED)
find_package(CLI11 REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(SQLiteCpp REQUIRED)
find_package(prometheus-cpp CONFIG REQUIRED)
find_package(PkgConfig REQUIRED)
# libzip's CMake files name programs of packages that we do not need.
pkg_check_modules(libzip REQUIRED IMPORTED_TARGET libzip)

# The distribution's ONNX package ships the generated messages; its CMake config wants more than we link.
find_library(ONNX_PROTO_LIBRARY onnx_proto REQUIRED)
find_path(ONNX_PROTO_INCLUDE_DIR onnx/onnx_pb.h REQUIRED)
add_library(onnx_proto_messages INTERFACE)
target_link_libraries(onnx_proto_messages INTERFACE ${ONNX_PROTO_LIBRARY} protobuf::libprotobuf)
target_include_directories(onnx_proto_messages SYSTEM INTERFACE ${ONNX_PROTO_INCLUDE_DIR})
target_compile_definitions(onnx_proto_messages INTERFACE ONNX_ML=1 ONNX_NAMESPACE=onnx)
