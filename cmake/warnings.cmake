# Compile options of our own code: warnings are errors in CI (TANDEM_WERROR), sanitizers by TANDEM_SANITIZE.
option(TANDEM_WERROR "Treat warnings as errors" OFF)

add_compile_options(-Wall -Wextra -Wno-unused-parameter -Wno-missing-field-initializers)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # gcc 12 reports absl::InlinedVector's storage, which is never read before it is set.
  add_compile_options(-Wno-maybe-uninitialized)
endif()
if(TANDEM_WERROR)
  add_compile_options(-Werror)
endif()
if(TANDEM_THREAD_SAFETY)
  add_compile_options(-Wthread-safety -Werror=thread-safety)
endif()
if(TANDEM_SANITIZE)
  add_compile_options(-fsanitize=${TANDEM_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  # Else Abseil's containers are laid out otherwise under the address sanitizer, and not as in the distribution's library.
  add_compile_definitions(NDEBUG_SANITIZER)
  # gcc does not take a function's address for a constant while it checks pointers for null, and Abseil's hash maps of
  # Debian 13 compare one at compile time. A null that is used still ends the program.
  include(CheckCXXSourceCompiles)
  set(CMAKE_REQUIRED_FLAGS "-fsanitize=${TANDEM_SANITIZE} -std=c++20")
  set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
  check_cxx_source_compiles("
    #include <absl/container/flat_hash_map.h>
    void Insert(absl::flat_hash_map<long, long>& map) { map.try_emplace(1, 2); }" TANDEM_HASH_MAPS_COMPILE)
  unset(CMAKE_TRY_COMPILE_TARGET_TYPE)
  unset(CMAKE_REQUIRED_FLAGS)
  if(NOT TANDEM_HASH_MAPS_COMPILE)
    add_compile_options(-fno-sanitize=null,nonnull-attribute,returns-nonnull-attribute)
  endif()
  add_link_options(-fsanitize=${TANDEM_SANITIZE})
endif()
