# What others build against, and nothing else: cmake --install BUILD --component client --prefix DIR. They say
# find_package(tandem_client) and link tandem::client.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(package ${CMAKE_INSTALL_LIBDIR}/cmake/tandem_client)
install(TARGETS tandem_client tandem_proto EXPORT tandem_client COMPONENT client
  INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY include/ TYPE INCLUDE COMPONENT client)
install(EXPORT tandem_client NAMESPACE tandem:: FILE tandem_client-targets.cmake DESTINATION ${package}
  COMPONENT client)
configure_package_config_file(tandem_client-config.cmake.in tandem_client-config.cmake INSTALL_DESTINATION ${package})
write_basic_package_version_file(tandem_client-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/tandem_client-config.cmake
  ${CMAKE_CURRENT_BINARY_DIR}/tandem_client-config-version.cmake DESTINATION ${package} COMPONENT client)
