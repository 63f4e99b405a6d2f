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
  add_link_options(-fsanitize=${TANDEM_SANITIZE})
endif()
