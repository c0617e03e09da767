# Flags that every target of ours gets.
set(CRIA_C_WARNINGS -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith
    -Wwrite-strings -Wvla -Wformat=2 -Wundef)
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
  list(APPEND CRIA_C_WARNINGS -Wno-format-truncation)
endif()
set(CRIA_HARDENING -fstack-protector-strong -fno-strict-aliasing)
if(CMAKE_BUILD_TYPE STREQUAL "Release" OR CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo")
  list(APPEND CRIA_HARDENING -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
endif()

# Bugs are asserted in release builds too.
foreach(kind RELEASE RELWITHDEBINFO)
  string(REPLACE "-DNDEBUG" "" CMAKE_C_FLAGS_${kind} "${CMAKE_C_FLAGS_${kind}}")
  string(REPLACE "-O3" "-O2" CMAKE_C_FLAGS_${kind} "${CMAKE_C_FLAGS_${kind}}")
endforeach()

if(CRIA_SANITIZE)
  add_compile_options(-fsanitize=${CRIA_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${CRIA_SANITIZE})
endif()
# Fuzzing wants every library watched, and the targets alone linked with the fuzzer's main.
if(CRIA_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link,address,undefined -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=address,undefined)
endif()
# Failure injection (base/fault.h) is in every build but the release.
if(NOT CMAKE_BUILD_TYPE STREQUAL "Release")
  add_compile_definitions(CRIA_FAULTS)
endif()
if(NOT APPLE)
  add_link_options(-Wl,-z,relro -Wl,-z,now)
endif()

function(cria_warnings target)
  target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:C>:${CRIA_C_WARNINGS}> ${CRIA_HARDENING})
  target_compile_definitions(${target} PRIVATE _GNU_SOURCE)
  if(CRIA_WERROR)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
endfunction()
